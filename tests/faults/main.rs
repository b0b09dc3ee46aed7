//! The cluster when things go wrong: processes that die, hang or lie, descriptors that run out, and what becomes of the
//! connections.

mod channels;
mod clients;
mod deaths;
mod descriptors;
mod flood;
#[path = "../harness/mod.rs"]
mod harness;
mod kit;
mod leaving;
mod limits;
mod malice;
mod many;
mod orphans;
mod policies;
mod remote;
mod stuck;
mod watched;

use std::process::ExitCode;

use harness::conclude;
use kit::case;

fn main() -> ExitCode {
    let node = ["node"];
    conclude(vec![
        case("killed before it is online", &[], deaths::before_it_is_online),
        case("killed after online, before it listens", &[], deaths::after_online_and_before_it_listens),
        case("killed before it says that it listens", &[], deaths::before_it_says_that_it_listens),
        case("killed before it reads what it was handed", &node, deaths::before_it_reads_what_it_was_handed),
        case("killed after it has taken the connection", &node, deaths::after_it_has_taken_the_connection),
        case("killed with its connections open, among 200", &node, deaths::with_its_connections_open_among_200),
        case("all killed at once", &node, deaths::all_at_once),
        case("all killed at once, the socket shared", &node, deaths::all_at_once_when_shared),
        case("killed while a grandchild holds its channel", &[], deaths::with_a_grandchild_that_holds_its_channel),
        case("stuck, it holds its window and no more", &node, stuck::it_holds_its_window_and_no_more),
        case("late, it is handed nothing more", &node, stuck::late_it_is_handed_nothing_more),
        case("stuck, it is killed if there is a limit", &node, stuck::it_is_killed_if_there_is_a_limit),
        case("stuck, it is told to go", &[], stuck::it_accepts_nothing_and_is_told_to_go),
        case("nobody is there: some wait here, the rest in the kernel", &[], stuck::nobody_else_is_there),
        case(
            "a worker without descriptors is passed over",
            &node,
            descriptors::a_worker_without_any_is_passed_over_until_it_has_some,
        ),
        case("no worker has a descriptor", &node, descriptors::no_worker_has_any_and_the_connections_rest),
        case(
            "refused by one, and the other one dies",
            &[],
            descriptors::what_one_refused_is_its_own_when_the_other_dies,
        ),
        case("the primary has no descriptor", &[], descriptors::the_primary_has_none_and_goes_on_when_it_has),
        case("the primary has one descriptor", &[], descriptors::the_primary_has_one_and_serves_them_one_by_one),
        case("the primary is killed: SIGKILL", &node, orphans::killed_by_sigkill),
        case("the primary is killed: SIGTERM", &node, orphans::killed_by_sigterm),
        case("the primary is killed: SIGINT", &node, orphans::killed_by_sigint),
        case("the primary panics", &node, orphans::its_main_panics),
        case("the primary returns", &node, orphans::its_main_returns),
        case("the thread that forked has ended", &[], orphans::the_thread_that_forked_ends_and_its_worker_does_not),
        case("10,000 connections: round robin, Rust", &[], many::round_robin_of_rust),
        case("10,000 connections: round robin, Node", &node, many::round_robin_of_node),
        case("10,000 connections: shared, Rust", &[], many::shared_by_rust),
        case("10,000 connections: shared, Node", &node, many::shared_by_node),
        case("10,000 connections: least connections, Rust", &[], many::least_connections_of_rust),
        case("leaving, each is told to disconnect", &node, leaving::each_is_told_to_disconnect),
        case("leaving, each disconnects itself", &node, leaving::each_disconnects_itself),
        case("leaving, told with a connection on its way", &node, leaving::told_with_a_connection_on_its_way),
        case("leaving at the tenth connection", &node, leaving::it_leaves_at_its_tenth_connection),
        case("exiting at the first connection", &node, leaving::it_exits_at_its_first_connection),
        case("the only one leaves", &node, leaving::the_only_one_leaves_and_its_successor_comes_later),
        case("noise is ignored", &[], malice::noise_is_ignored),
        case("of two answers the first counts", &[], malice::of_two_answers_the_first_counts),
        case("what is another's is not closed", &[], malice::what_is_anothers_is_not_closed),
        case("a bad address is refused", &[], malice::a_bad_address_is_refused),
        case("garbage ends its channel and no other", &[], malice::garbage_ends_its_channel_and_no_other),
        case("a flood of counts", &[], flood::counts_are_asked_for),
        case("a flood of queries for one listener", &[], flood::the_same_listener_is_asked_for),
        case("a flood of queries for new listeners", &[], flood::new_listeners_are_asked_for),
        case("a flood of queries for shared listeners", &[], flood::new_shared_listeners_are_asked_for),
        case("a flood of queries for UDP sockets", &[], flood::udp_sockets_are_asked_for),
        case("a flood of queries for one UDP socket", &[], flood::the_same_udp_socket_is_asked_for),
        case("a flood of handles that do not come", &[], flood::handles_are_announced_that_do_not_come),
        case("a flood of farewells", &[], flood::it_says_that_it_leaves),
        case("a flood of events, and a slow user", &[], flood::a_slow_user_is_told_that_it_listens),
        case("a flood of messages, and a slow user", &[], flood::a_slow_user_is_sent_messages),
        case("a flood does not starve the others", &[], flood::one_does_not_starve_the_others),
        case("descriptors run out and all workers die", &node, limits::workers_are_replaced_when_descriptors_run_out),
        case("the limit of descriptors is raised", &[], limits::the_primary_raises_its_limit_and_not_the_workers),
        case("only announced descriptors are given", &[], limits::only_announced_descriptors_are_given),
        case("a refused descriptor names the option", &[], limits::a_refused_descriptor_names_the_option),
        case("a worker has so many listeners", &[], limits::a_worker_has_so_many_listeners),
        case("an idle listener is closed", &[], limits::an_idle_listener_is_closed),
        case("the user closes a listener", &[], limits::the_user_closes_a_listener),
        case("what waits too long is closed", &[], limits::what_waits_too_long_is_closed),
        case("the broken are closed, and then the oldest", &[], limits::the_broken_are_closed_and_then_the_oldest),
        case("the reason of an end is told", &[], channels::the_reason_of_an_end_is_told),
        case("settings of a channel are merged", &[], channels::settings_of_a_channel_are_merged),
        case("a window of a channel is kept", &[], channels::a_window_of_a_channel_is_kept),
        case("a channel is closed at once", &[], channels::a_channel_is_closed_at_once),
        case("a worker exits when its channel is closed", &node, channels::a_worker_exits_when_its_channel_is_closed),
        case("sticky keeps each client at its worker", &[], policies::sticky_keeps_each_client_at_its_worker),
        case("sticky waits for a stuck worker", &[], policies::sticky_waits_for_one_that_is_stuck_until_it_is_dead),
        case("weights are respected", &[], policies::weights_are_respected),
        case("one that keeps its connections gets fewer", &[], policies::one_that_keeps_its_connections_gets_fewer),
    ])
}
