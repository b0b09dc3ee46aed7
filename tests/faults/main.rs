//! The cluster when things go wrong: processes that die, hang or lie, descriptors that run out, and what becomes of the
//! connections.

mod channels;
mod clients;
mod deaths;
mod descriptors;
mod flood;
mod kit;
mod leaving;
mod limits;
mod malice;
mod many;
mod orphans;
mod policies;
mod remote;
mod stuck;

use std::process::ExitCode;

use harness::{case, cases, conclude};

fn main() -> ExitCode {
    let mut trials = cases(
        &[],
        vec![
            case(deaths::before_it_is_online),
            case(deaths::after_online_and_before_it_listens),
            case(deaths::before_it_says_that_it_listens),
            case(deaths::with_a_grandchild_that_holds_its_channel),
            case(stuck::it_accepts_nothing_and_is_told_to_disconnect),
            case(stuck::connections_wait_in_the_primary_and_the_kernel_for_a_new_worker),
            case(descriptors::a_refused_connection_is_offered_again_when_the_other_worker_dies),
            case(descriptors::the_primary_has_none_and_goes_on_when_it_has),
            case(descriptors::the_primary_has_one_and_serves_them_one_by_one),
            case(orphans::the_thread_that_forked_ends_and_its_worker_does_not),
            case(malice::noise_is_ignored),
            case(malice::of_two_answers_the_first_counts),
            case(malice::a_listener_of_another_worker_is_not_closed),
            case(malice::a_bad_address_is_refused),
            case(malice::garbage_ends_its_channel_and_no_other),
            case(flood::a_slow_user_is_told_that_it_listens),
            case(flood::a_slow_user_is_sent_messages),
            case(flood::one_does_not_starve_the_others),
            case(limits::the_primary_raises_its_limit_and_not_the_workers),
            case(limits::only_announced_descriptors_are_given),
            case(limits::a_refused_descriptor_names_the_option),
            case(limits::a_worker_has_so_many_listeners),
            case(limits::an_idle_listener_is_closed),
            case(limits::the_user_closes_a_listener),
            case(limits::a_connection_that_waits_too_long_is_closed),
            case(limits::broken_connections_are_closed_before_the_oldest),
            case(channels::the_reason_of_the_end_is_reported),
            case(channels::settings_of_a_channel_are_merged),
            case(channels::a_window_of_a_channel_is_kept),
            case(channels::a_channel_is_closed_at_once),
            case(policies::sticky_keeps_each_client_at_its_worker),
            case(policies::sticky_waits_for_a_stuck_worker_until_it_is_dead),
            case(policies::weights_are_respected),
            case(policies::a_worker_that_keeps_its_connections_gets_fewer),
        ],
    );
    trials.extend(cases(
        &["node"],
        vec![
            case(deaths::before_it_reads_what_it_was_handed),
            case(deaths::after_it_has_taken_the_connection),
            case(deaths::with_its_connections_open_among_200),
            case(deaths::all_at_once),
            case(deaths::all_at_once_when_shared),
            case(stuck::it_holds_no_more_than_its_window),
            case(stuck::it_is_late_and_gets_no_more_connections),
            case(stuck::it_is_killed_if_there_is_a_limit),
            case(descriptors::a_worker_without_any_is_passed_over_until_it_has_some),
            case(descriptors::no_worker_has_any_and_the_connections_wait),
            case(orphans::the_primary_is_killed),
            case(orphans::the_primary_panics),
            case(orphans::the_primary_returns),
            case(leaving::each_is_told_to_disconnect),
            case(leaving::each_disconnects_itself),
            case(leaving::told_with_a_connection_on_its_way),
            case(leaving::it_disconnects_at_its_tenth_connection),
            case(leaving::it_exits_after_its_first_connection),
            case(leaving::the_only_one_leaves_and_its_successor_comes_later),
            case(limits::workers_are_replaced_when_descriptors_run_out),
            case(channels::a_worker_exits_when_its_channel_is_closed),
        ],
    ));
    trials.extend(cases(&[], [flood::cases(), many::cases_with_rust()].concat()));
    trials.extend(cases(&["node"], many::cases_with_node()));
    conclude(trials)
}
