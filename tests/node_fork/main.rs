//! The channel with a real `node` at the other end, as child and as parent.

mod alone;
mod child;
mod handles;
#[path = "../harness/mod.rs"]
mod harness;
mod kit;
mod parent;

use std::process::ExitCode;

use harness::conclude;
use harness::nodes::in_each_node;
use kit::{case, without_node};

fn main() -> ExitCode {
    let mut trials = in_each_node(vec![
        case("a Node child sends values and handles back", child::values_and_handles_come_back),
        case("a Node child gets 100,000 messages in order", child::a_hundred_thousand_messages_to_node),
        case("a Node child sends 100,000 messages in order", child::a_hundred_thousand_messages_from_node),
        case("a Node child sends 1,000 handles in order", handles::a_thousand_handles_from_node),
        case("a Node child gets 1,000 handles, one at a time", handles::a_thousand_handles_one_at_a_time),
        case("a Node child gets 1,000 handles, thirty at a time", handles::a_thousand_handles_thirty_at_a_time),
        case("a Node child ends a socket that it was passed", handles::a_socket_passed_is_used_and_ended_by_node),
        case("a socket that is kept open belongs to both", handles::both_write_to_a_socket_that_is_kept_open),
        case("a Node child answers on our server", handles::node_answers_on_our_server_and_so_do_we),
        case("a Node child receives on our UDP socket", handles::a_udp_socket_receives_in_node),
        case("a Node child counts the sockets of a key", handles::node_says_how_many_of_our_sockets_it_has),
        case("internal messages are internal in a Node child", child::only_a_name_that_goes_on_after_node_is_internal),
        case("a socket that a Node child sent is read here", handles::a_socket_from_node_is_read_here),
        case("a Node child's send calls back", child::a_send_calls_back_when_it_is_written),
        case("a throw in a Node child loses no message", child::a_throw_in_a_handler_loses_no_message),
        case("a listener keeps a Node child alive", child::a_listener_keeps_the_child_alive_until_we_disconnect),
        case("a Node child without a listener ends", child::a_child_that_does_not_listen_ends_by_itself),
        case("what a killed Node child sent arrives", child::what_a_child_sent_before_it_was_killed_arrives),
        case("the channel can be at any descriptor", child::the_channel_can_be_at_any_descriptor),
        case("a pipe besides the channel", child::a_child_can_hold_a_pipe_besides_the_channel),
        case("eighty Node children pass a socket back", handles::eighty_children_each_pass_a_socket_back),
        case("a Node parent gets its values back", parent::parent_values),
        case("a Node parent exchanges 100,000 messages", parent::parent_many),
        case("a Node parent exchanges 1,000 handles", parent::parent_handles),
        case("a Node parent exchanges handles of each kind", parent::parent_kinds),
        case("a Node parent's send returns what it should", parent::parent_booleans),
        case("a Node parent counts the connections we hold", parent::parent_connections),
        case("a Node parent's server is served by us", parent::parent_accept),
        case("a Node parent gets all that we sent before our end", parent::parent_quit),
        case("a busy Node parent learns of our end before our exit", parent::parent_busy),
        case("a Node parent that wants advanced is refused", parent::parent_advanced),
        case("a Node parent puts the channel elsewhere", parent::parent_elsewhere),
    ]);
    trials.extend([
        without_node(
            "close waits for a grandchild with the channel",
            alone::close_waits_for_a_grandchild_that_holds_the_channel,
        ),
        without_node("a bad fork is refused", alone::a_bad_fork_is_refused),
        without_node("a child is told why it has no channel", alone::a_child_is_told_why_it_has_no_channel),
        without_node("a receiver without descriptors refuses", alone::a_receiver_without_descriptors_refuses),
        without_node("10,000 handles leave no descriptor", alone::our_child_leaves_no_descriptor_open),
    ]);
    conclude(trials)
}
