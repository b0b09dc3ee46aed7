//! Our primary with real Node workers, and our workers under a real Node primary (`under_node.rs`). What Node's own tests pin down is here, one behaviour a test, but for the
//! serialization `advanced`, which is refused by design.

mod apart;
mod connections;
mod datagram;
mod disconnect;
mod events;
mod exit;
#[path = "../harness/mod.rs"]
mod harness;
mod kit;
mod listen;
mod refused;
mod under_node;
mod watched;

use std::process::ExitCode;

use harness::conclude;
use harness::nodes::in_each_node;
use kit::case;

fn main() -> ExitCode {
    if let Some(exit) = apart::role() {
        return exit;
    }
    conclude(in_each_node(vec![
        case("a worker lives from fork to exit", events::a_worker_lives_from_fork_to_exit),
        case("a state follows the events", events::a_state_follows_the_events),
        case("a worker runs where it is told", events::a_worker_runs_where_it_is_told),
        case("a worker's environment is what it is given", events::a_worker_gets_the_environment_that_it_is_given),
        case("a worker can have a pipe besides the channel", events::a_worker_can_have_a_pipe_besides_the_channel),
        case("what answers nothing is ignored", events::what_answers_nothing_is_ignored),
        case("messages go both ways while a worker serves", events::messages_go_both_ways_while_it_serves),
        case("the first message is not lost", events::the_first_message_is_seen_by_process_and_by_worker),
        case("a message reaches the worker", events::a_message_reaches_the_worker),
        case("two groups share nothing but their primary", events::two_groups_share_nothing_but_their_primary),
        case("listening says the port that was found", listen::listening_says_the_port_that_was_found),
        case("listen needs nothing but a callback", listen::listen_needs_nothing_but_a_callback),
        case("100 connections are 25 for each of four", listen::a_hundred_connections_are_25_for_each_of_four),
        case("workers accept by themselves if shared", listen::workers_accept_by_themselves_on_a_shared_socket),
        case("every policy serves with Node workers", listen::every_policy_serves_with_node_workers),
        case("two servers for any port have two ports", listen::two_servers_for_any_port_have_two_ports),
        case("IPv6 is IPv4, too, if not said otherwise", listen::ipv6_without_ipv6_only_is_ipv4_too),
        case("IPv6 only leaves IPv4 free: round robin", listen::ipv6_only_leaves_ipv4_free_by_round_robin),
        case("IPv6 only leaves IPv4 free: shared", listen::ipv6_only_leaves_ipv4_free_when_shared),
        case("a descriptor of the primary is served", listen::a_descriptor_of_the_primary_is_served),
        case("an exclusive server is the worker's own", listen::an_exclusive_server_is_the_workers_own),
        case("a listener has the worker's backlog", listen::a_listener_has_the_backlog_that_the_worker_wants),
        case("a listener waits for a successor", listen::a_listener_waits_for_a_successor),
        case("a closed listener lingers if it is to", listen::a_closed_listener_lingers_for_a_successor_if_it_is_to),
        case("a port in use is refused: round robin", refused::a_port_in_use_is_refused_by_round_robin),
        case("a port in use is refused: shared", refused::a_port_in_use_is_refused_when_shared),
        case("what one may not bind is refused: round robin", refused::what_one_may_not_bind_is_refused_by_round_robin),
        case("what one may not bind is refused: shared", refused::what_one_may_not_bind_is_refused_when_shared),
        case("a path in use is refused", refused::a_path_in_use_is_refused),
        case("an address of another host is refused", refused::an_address_of_another_host_is_refused),
        case("a descriptor that is no socket is refused", refused::a_descriptor_that_is_no_socket_is_refused),
        case("a worker can listen later where it was refused", refused::a_worker_can_listen_later_where_it_was_refused),
        case("an error that nobody expects is an exception", refused::an_error_that_nobody_expects_is_an_exception),
        case("a worker disconnects on an error", refused::a_worker_disconnects_on_an_error),
        case("forty datagrams arrive at one of four", datagram::forty_datagrams_arrive_at_one_of_four),
        case("all send from the shared UDP socket", datagram::all_send_from_the_shared_socket),
        case("a UDP descriptor of the primary is bound", datagram::a_descriptor_of_the_primary_is_bound),
        case("a worker can bind UDP again and again", datagram::a_worker_can_bind_again_and_again),
        case("UDP for IPv6 only leaves IPv4 free", datagram::ipv6_only_is_ipv6_only),
        case("a UDP port in use is refused", datagram::a_udp_port_in_use_is_refused),
        case("an idle worker can be disconnected", disconnect::an_idle_worker_can_be_disconnected),
        case("a worker that is told twice goes once", disconnect::a_worker_that_is_told_twice_goes_once),
        case(
            "all can be disconnected while one disconnects",
            disconnect::the_primary_can_be_disconnected_while_a_worker_disconnects,
        ),
        case("disconnect resolves when nobody is left", disconnect::disconnect_resolves_when_nobody_is_left),
        case("a primary without workers disconnects", disconnect::a_primary_without_workers_disconnects),
        case("a worker can be disconnected before it is up", disconnect::a_worker_can_be_disconnected_before_it_is_up),
        case(
            "a worker without a server goes, another has TCP",
            disconnect::a_worker_without_a_server_goes_while_another_has_one,
        ),
        case(
            "a worker without a server goes, another has UDP",
            disconnect::a_worker_without_a_server_goes_while_another_has_udp,
        ),
        case(
            "a worker that kills or disconnects itself goes in order",
            disconnect::a_worker_that_kills_or_disconnects_itself_goes_in_order,
        ),
        case(
            "a worker can destroy itself at once, or leaving",
            disconnect::a_worker_can_destroy_itself_at_once_or_while_it_leaves,
        ),
        case("the end of the channel is seen on both sides", disconnect::the_end_of_the_channel_is_seen_on_both_sides),
        case(
            "a disconnected worker may exit with its own code",
            disconnect::a_worker_that_is_disconnected_may_exit_with_its_own_code,
        ),
        case("disconnect waits for the connections", disconnect::disconnect_waits_for_the_connections),
        case(
            "both workers of a shared socket go, a connection open",
            disconnect::both_workers_of_a_shared_socket_go_with_a_connection_open,
        ),
        case("a worker that exits at once has its code", exit::a_worker_that_exits_at_once_has_its_code),
        case(
            "a worker that exits while it listens does so once",
            exit::a_worker_that_exits_while_it_listens_does_so_once,
        ),
        case("a worker that closes its channel ends well", exit::a_worker_that_closes_its_channel_ends_well),
        case("a killed worker has its signal", exit::a_killed_worker_has_its_signal),
        case("a process that is killed is a worker that ends", exit::a_process_that_is_killed_is_a_worker_that_ends),
        case("a worker that was disconnected can be killed", exit::a_worker_that_was_disconnected_can_still_be_killed),
        case("a worker in an endless loop can be ended", exit::a_worker_in_an_endless_loop_can_be_ended),
        case("a worker whose only server is closed ends", exit::a_worker_whose_only_server_is_closed_ends),
        case("a server keeps its worker alive", exit::a_server_keeps_its_worker_alive),
        case("a server without a reference keeps nobody alive", exit::a_server_without_a_reference_keeps_nobody_alive),
        case(
            "a server that is referenced again is closed in order",
            exit::a_server_that_is_referenced_again_is_closed_in_order,
        ),
        case(
            "a connection that came as a server closed is another's",
            connections::a_connection_that_came_as_a_server_closed_is_anothers,
        ),
        case(
            "a connection that nobody takes waits for a server",
            connections::a_connection_that_nobody_takes_waits_for_a_server,
        ),
        case(
            "what a dead worker had not looked at is another's",
            connections::what_a_worker_had_not_looked_at_when_it_died_is_anothers,
        ),
        case(
            "a connection of ours is served by a worker's http",
            connections::a_connection_of_ours_is_served_by_a_workers_http_server,
        ),
        case(
            "a worker that goes with handles on the way breaks nothing",
            connections::a_worker_that_goes_with_handles_on_the_way_breaks_nothing,
        ),
        case("one of two closes and listens again", connections::one_of_two_closes_and_listens_again),
        case("a server in a domain listens", connections::a_server_in_a_domain_listens),
        case("workers share the keys of TLS tickets", connections::workers_share_the_keys_of_tls_tickets),
        case("a Unix socket is served and removed", connections::a_unix_socket_is_served_and_removed),
        case("a long path is served by its short name", apart::a_long_path_is_served_by_its_short_name),
        case("no worker is left when the primary panics", apart::no_worker_is_left_when_the_primary_panics),
        case("a primary keeps control over a panic", apart::a_primary_keeps_control_over_a_panic),
        case("no worker is left when the primary returns", apart::no_worker_is_left_when_the_primary_returns),
        case("no worker is left when the primary is killed", apart::no_worker_is_left_when_the_primary_is_killed),
        case("the kernel ends workers with their primary", apart::the_kernel_ends_the_workers_with_their_primary),
        case(
            "under Node: the events of a worker are those of Node's own",
            under_node::the_events_of_a_worker_are_those_of_nodes_own,
        ),
        case("under Node: connections are split evenly", under_node::connections_are_split_evenly),
        case(
            "under Node: 1,000 connections leave no descriptor",
            under_node::a_thousand_connections_leave_no_descriptor,
        ),
        case("under Node: an open connection delays a disconnect", under_node::an_open_connection_delays_a_disconnect),
        case("under Node: each ending is what it is in Node", under_node::each_ending_is_what_it_is_in_node),
        case(
            "under Node: a worker that leaves waits for its connection",
            under_node::a_worker_that_leaves_waits_for_its_connection,
        ),
        case("under Node: a full worker gives connections back", under_node::a_full_worker_gives_connections_back),
        case(
            "under Node: what waits at a stuck worker goes back",
            under_node::what_waits_at_a_stuck_worker_goes_back_when_it_closes,
        ),
        case("under Node: a Unix socket is shared", under_node::a_unix_socket_is_shared),
        case("under Node: a UDP socket is shared", under_node::a_udp_socket_is_shared),
        case("under Node: a port that is taken is an error", under_node::a_port_that_is_taken_is_an_error),
        case("under Node: a worker may have several servers", under_node::a_worker_may_have_several_servers),
        case("under Node: a name is asked for in the worker", under_node::a_name_is_asked_for_in_the_worker),
        case(
            "under Node: a socket of the primary's own is served",
            under_node::a_socket_that_the_primary_was_started_with_is_served,
        ),
        case("under Node: a worker of Node's serves beside ours", under_node::a_worker_of_nodes_serves_beside_ours),
        case(
            "under Node: a busy primary learns of each end before the exit",
            under_node::a_busy_primary_learns_of_each_end_before_the_exit,
        ),
        case("under Node: workers go with their primary", under_node::workers_go_with_their_primary),
        case("under Node: a worker may survive its primary", under_node::a_worker_may_survive_its_primary),
    ]))
}
