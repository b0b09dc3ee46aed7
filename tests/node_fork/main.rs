//! The channel with a real `node` at the other end, as child and as parent.

mod alone;
mod child;
mod handles;
mod kit;
mod parent;

use std::process::ExitCode;

use harness::nodes::in_each_node;
use harness::{case, cases, conclude};

fn main() -> ExitCode {
    let mut with_node = parent::cases();
    with_node.extend([
        case(child::values_and_handles_come_back),
        case(child::a_hundred_thousand_messages_to_node),
        case(child::a_hundred_thousand_messages_from_node),
        case(handles::a_thousand_handles_from_node),
        case(handles::a_thousand_handles_one_at_a_time),
        case(handles::a_thousand_handles_thirty_at_a_time),
        case(handles::a_socket_passed_is_used_and_ended_by_node),
        case(handles::both_write_to_a_socket_that_is_kept_open),
        case(handles::node_answers_on_our_server_and_so_do_we),
        case(handles::a_udp_socket_receives_in_node),
        case(handles::node_counts_the_sockets_that_it_was_passed),
        case(child::only_a_name_that_goes_on_after_node_is_internal),
        case(handles::a_socket_from_node_is_read_here),
        case(child::a_send_calls_back_when_it_is_written),
        case(child::a_throw_in_a_handler_loses_no_message),
        case(child::a_listener_keeps_the_child_alive_until_we_disconnect),
        case(child::a_child_that_does_not_listen_ends_by_itself),
        case(child::what_a_child_sent_before_it_was_killed_arrives),
        case(child::the_channel_can_be_at_any_descriptor),
        case(child::a_child_can_hold_a_pipe_besides_the_channel),
        case(handles::eighty_children_each_pass_a_socket_back),
        case(parent::is_refused_when_it_wants_advanced),
    ]);
    let mut trials = in_each_node(with_node);
    trials.extend(cases(
        &[],
        vec![
            case(alone::close_waits_for_a_grandchild_that_holds_the_channel),
            case(alone::a_bad_fork_is_refused),
            case(alone::a_child_is_told_why_it_has_no_channel),
            case(alone::a_receiver_without_descriptors_refuses),
            case(alone::our_child_leaves_no_descriptor_open),
        ],
    ));
    conclude(trials)
}
