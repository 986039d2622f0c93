//! The command line as it is declared: consistent, and filled in from the tables.
//!
//! What it is not: what the commands do.

use super::*;
use crate::subject::Subject;
use crate::subject::mm::MmSubject;

#[test]
fn the_command_line_is_consistent() {
    command(MmSubject::spec(), "pagerace").debug_assert();
}

#[test]
fn a_hunt_is_for_the_oldest_version_with_a_race() {
    assert_eq!(hunted_profile(MmSubject::spec()), "linux-5.9");
}

#[test]
fn a_hunt_for_the_effect_of_a_switch_is_on_the_version_without_a_race() {
    let spec = MmSubject::spec();
    let profile = |more: &[&str]| {
        let line = ["pagerace", "hunt"].iter().chain(more);
        let matches = command(spec, "pagerace").try_get_matches_from(line).unwrap();
        let Action::Hunt(hunt) = parse(spec, &matches).unwrap().action else { panic!() };
        hunt.history.profile.unwrap()
    };
    assert_eq!(profile(&[]), "linux-5.9");
    assert_eq!(profile(&["--set", "free_pages=v5_9"]), "current");
    let both = ["--set", "free_pages=v5_9", "--profile", "linux-6.2"];
    assert_eq!(profile(&both), "linux-6.2");
}

#[test]
fn fields_become_options() {
    let spec = MmSubject::spec();
    let line = ["pagerace", "hunt", "--pcp-batch", "2"];
    let matches = command(spec, "pagerace").try_get_matches_from(line).unwrap();
    let Action::Hunt(hunt) = parse(spec, &matches).unwrap().action else { panic!() };
    let at = spec.field("pcp_batch").unwrap();
    assert_eq!(hunt.fields[at], Some(2));
    assert_eq!(hunt.fields.iter().flatten().count(), 1);
}

#[test]
fn an_unknown_variant_is_answered_with_the_nearest() {
    let line = ["pagerace", "hunt", "--set", "free_pages=v5_1"];
    let error = command(MmSubject::spec(), "pagerace").try_get_matches_from(line).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("free_pages=v5_10") && text.contains("similar"), "{text}");
}
