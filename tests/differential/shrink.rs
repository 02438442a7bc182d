//! The shortest sequence that still shows a difference.

use crate::call::Call;

/// Leaves calls out, many at once and then one by one, as long as `fails` says that what remains shows it, too. At most
/// `tries_max` times.
pub fn shrink(calls: &[Call], tries_max: usize, mut fails: impl FnMut(&[Call]) -> bool) -> Vec<Call> {
    let mut calls = calls.to_vec();
    let mut tries = 0;
    let mut size = calls.len().div_ceil(2);
    while size > 0 {
        let mut end = calls.len();
        let mut left_out = false;
        while end > 0 && tries < tries_max {
            let begin = end.saturating_sub(size);
            let rest = [&calls[..begin], &calls[end..]].concat();
            tries += 1;
            if fails(&rest) {
                calls = rest;
                left_out = true;
            }
            end = begin;
        }
        if tries >= tries_max {
            break;
        }
        // One less may make another one superfluous.
        if !(size == 1 && left_out) {
            size /= 2;
        }
    }
    calls
}

#[test]
fn only_what_is_needed_is_left() {
    let calls: Vec<Call> = (0..40).map(|i| Call::new("root", "GetStatus", &[&i.to_string()])).collect();
    let has = |calls: &[Call], word: &str| calls.iter().any(|call| call.words[0] == word);
    let found = shrink(&calls, 1000, |rest| has(rest, "7") && has(rest, "31"));
    assert_eq!(found, [calls[7].clone(), calls[31].clone()]);
    let mut tries = 0;
    shrink(&calls, 10, |_| {
        tries += 1;
        false
    });
    assert_eq!(tries, 10);
}
