//! Our primary with real Node workers, and our workers under a real Node primary (`under_node.rs`). What Node's own tests pin down is here, one behaviour a test, but for the
//! serialization `advanced`, which is refused by design.

mod apart;
mod connections;
mod datagram;
mod disconnect;
mod events;
mod exit;
mod kit;
mod listen;
mod refused;
mod under_node;
mod versions;

use std::process::ExitCode;

use harness::nodes::in_each_node;
use harness::{case, conclude};

fn main() -> ExitCode {
    if let Some(exit) = apart::role() {
        return exit;
    }
    let mut cases = vec![
        case(events::a_worker_lives_from_fork_to_exit),
        case(events::a_state_follows_the_events),
        case(events::a_worker_runs_where_it_is_told),
        case(events::a_worker_gets_the_environment_that_it_is_given),
        case(events::a_worker_can_have_a_pipe_besides_the_channel),
        case(events::an_answer_to_no_question_is_ignored),
        case(events::messages_go_both_ways_while_it_serves),
        case(events::the_first_message_is_seen_by_process_and_by_worker),
        case(events::a_message_reaches_the_worker),
        case(events::two_groups_share_nothing_but_their_primary),
        case(listen::listening_says_the_port_that_was_found),
        case(listen::listen_needs_nothing_but_a_callback),
        case(listen::a_hundred_connections_are_25_for_each_of_four),
        case(listen::workers_accept_by_themselves_on_a_shared_socket),
        case(listen::every_policy_serves_with_node_workers),
        case(listen::two_servers_for_any_port_have_two_ports),
        case(listen::ipv6_without_ipv6_only_is_ipv4_too),
        case(listen::ipv6_only_leaves_ipv4_free),
        case(listen::a_descriptor_of_the_primary_is_served),
        case(listen::an_exclusive_server_is_the_workers_own),
        case(listen::a_listener_has_the_backlog_that_the_worker_wants),
        case(listen::a_listener_waits_for_a_successor),
        case(listen::a_closed_listener_lingers_for_a_successor_if_it_is_to),
        case(refused::a_port_in_use_is_refused),
        case(refused::an_address_without_permission_is_refused),
        case(refused::a_path_in_use_is_refused),
        case(refused::an_address_of_another_host_is_refused),
        case(refused::a_descriptor_that_is_no_socket_is_refused),
        case(refused::a_worker_can_listen_later_where_it_was_refused),
        case(refused::an_error_without_a_listener_is_an_exception),
        case(refused::a_worker_disconnects_on_an_error),
        case(datagram::forty_datagrams_arrive_at_one_of_four),
        case(datagram::all_send_from_the_shared_socket),
        case(datagram::a_descriptor_of_the_primary_is_bound),
        case(datagram::a_worker_can_bind_again_and_again),
        case(datagram::ipv6_only_is_ipv6_only),
        case(datagram::a_udp_port_in_use_is_refused),
        case(disconnect::an_idle_worker_can_be_disconnected),
        case(disconnect::a_worker_that_is_told_twice_to_disconnect_exits_once),
        case(disconnect::the_primary_can_be_disconnected_while_a_worker_disconnects),
        case(disconnect::disconnect_resolves_when_no_worker_is_left),
        case(disconnect::a_primary_without_workers_disconnects),
        case(disconnect::a_worker_can_be_disconnected_before_it_is_up),
        case(disconnect::a_worker_without_a_server_exits_while_another_has_one),
        case(disconnect::a_worker_without_a_server_exits_while_another_has_udp),
        case(disconnect::a_worker_that_kills_or_disconnects_itself_exits_in_order),
        case(disconnect::a_worker_can_destroy_itself_at_once_or_while_it_leaves),
        case(disconnect::the_end_of_the_channel_is_seen_on_both_sides),
        case(disconnect::a_worker_that_is_disconnected_may_exit_with_its_own_code),
        case(disconnect::disconnect_waits_for_the_connections),
        case(disconnect::both_workers_of_a_shared_socket_exit_with_a_connection_open),
        case(exit::a_worker_that_exits_at_once_has_its_code),
        case(exit::a_worker_that_exits_while_it_listens_does_so_once),
        case(exit::a_worker_that_closes_its_channel_ends_well),
        case(exit::a_killed_worker_has_its_signal),
        case(exit::a_process_that_is_killed_is_a_worker_that_ends),
        case(exit::a_worker_that_was_disconnected_can_still_be_killed),
        case(exit::a_worker_in_an_endless_loop_can_be_ended),
        case(exit::a_server_that_is_closed_or_has_no_reference_does_not_keep_its_worker_alive),
        case(exit::a_server_keeps_its_worker_alive),
        case(exit::a_server_that_is_referenced_again_is_closed_in_order),
        case(connections::a_connection_for_a_closed_server_goes_to_another_worker),
        case(connections::a_refused_connection_waits_for_a_server),
        case(connections::an_unread_connection_of_a_dead_worker_goes_to_another_worker),
        case(connections::a_connection_of_ours_is_served_by_a_workers_http_server),
        case(connections::a_worker_that_exits_with_handles_on_the_way_loses_none),
        case(connections::one_of_two_closes_and_listens_again),
        case(connections::a_server_in_a_domain_listens),
        case(connections::workers_share_the_keys_of_tls_tickets),
        case(connections::a_unix_socket_is_served_and_removed),
        case(apart::a_long_path_is_served_by_its_short_name),
        case(apart::no_worker_is_left_when_the_primary_panics),
        case(apart::a_primary_keeps_control_over_a_panic),
        case(apart::no_worker_is_left_when_the_primary_returns),
        case(apart::no_worker_is_left_when_the_primary_is_killed),
        case(apart::the_kernel_ends_the_workers_with_their_primary),
        case(under_node::the_events_of_a_worker_are_those_of_nodes_own),
        case(under_node::connections_are_split_evenly),
        case(under_node::what_waits_at_a_stuck_worker_goes_back_when_it_closes),
        case(under_node::a_unix_socket_is_shared),
        case(under_node::a_socket_that_the_primary_was_started_with_is_served),
        case(under_node::a_worker_of_nodes_serves_beside_ours),
        case(under_node::workers_exit_with_their_primary),
        case(under_node::a_worker_may_survive_its_primary),
        case(versions::what_differs_is_what_the_book_lists),
    ];
    cases.extend(under_node::cases_in_both_policies());
    conclude(in_each_node(cases))
}
