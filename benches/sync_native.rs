//! What the native backend costs: the same loops over `core`'s atomics and over ours.
//!
//! Baseline: `core::sync::atomic`. The two are run in turn, many short rounds each, and the ratio of
//! their medians is printed, so that a machine that changes speed changes both. Exits with 1 if a
//! ratio exceeds 1.02.
//!
//! What it is not: a measurement of contention; one thread runs.

use pagerace_core::sync::{AtomicI32, AtomicU32, Native, Ordering, SpinLock};
use std::hint::black_box;
use std::sync::atomic;
use std::time::Instant;

const ROUNDS: usize = 401;
const LOOPS: u32 = 20_000;
const LIMIT: f64 = 1.02;

fn seconds(work: &dyn Fn()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The ratio of the medians of many alternating rounds.
fn ratio(baseline: &dyn Fn(), ours: &dyn Fn()) -> f64 {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        // Who goes first alternates too.
        for which in [round % 2, 1 - round % 2] {
            times[which].push(seconds(if which == 0 { baseline } else { ours }));
        }
    }
    let [a, b] = times.map(|mut t| {
        t.sort_by(f64::total_cmp);
        t[ROUNDS / 2]
    });
    b / a
}

macro_rules! pair {
    ($name:literal, $plain:ident, $ours:ident, |$atomic:ident| $body:expr) => {{
        let (plain, ours) = (atomic::$plain::new(1), $ours::<Native>::new(1));
        let run_plain = || {
            for _ in 0..LOOPS {
                let $atomic = black_box(&plain);
                black_box($body);
            }
        };
        let run_ours = || {
            for _ in 0..LOOPS {
                let $atomic = black_box(&ours);
                black_box($body);
            }
        };
        ($name, ratio(&run_plain, &run_ours))
    }};
}

fn add_unless_zero(a: &atomic::AtomicI32) -> bool {
    let mut old = a.load(Ordering::Relaxed);
    while old != 0 {
        match a.compare_exchange_weak(old, old.wrapping_add(1), Ordering::SeqCst, Ordering::Relaxed)
        {
            Ok(_) => return true,
            Err(found) => old = found,
        }
    }
    false
}

fn main() {
    let try_get = {
        let (plain, ours) = (atomic::AtomicI32::new(1), AtomicI32::<Native>::new(1));
        let run_plain = || {
            (0..LOOPS).for_each(|_| {
                black_box(add_unless_zero(black_box(&plain)));
            });
        };
        let run_ours = || {
            (0..LOOPS).for_each(|_| {
                black_box(black_box(&ours).add_unless_zero(1, Ordering::SeqCst));
            });
        };
        ("try_get", ratio(&run_plain, &run_ours))
    };
    let lock = {
        let (plain, ours) = (atomic::AtomicU32::new(0), SpinLock::<Native>::new());
        let run_plain = || {
            for _ in 0..LOOPS {
                let word = black_box(&plain);
                while word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
                    std::thread::yield_now();
                }
                word.store(0, Ordering::Release);
            }
        };
        let run_ours = || (0..LOOPS).for_each(|_| drop(black_box(&ours).lock()));
        ("spin lock", ratio(&run_plain, &run_ours))
    };
    let rows = [
        pair!("load", AtomicU32, AtomicU32, |a| a.load(Ordering::Acquire)),
        pair!("store", AtomicU32, AtomicU32, |a| a.store(1, Ordering::Release)),
        pair!("fetch_add", AtomicI32, AtomicI32, |a| a.fetch_add(1, Ordering::AcqRel)),
        pair!("fetch_or", AtomicU32, AtomicU32, |a| a.fetch_or(1, Ordering::AcqRel)),
        try_get,
        lock,
    ];
    let mut worst: f64 = 0.0;
    for (name, ratio) in rows {
        println!("{name:<10} native / core  {ratio:.3}");
        worst = worst.max(ratio);
    }
    println!("worst ratio {worst:.3} (limit {LIMIT})");
    if worst > LIMIT {
        std::process::exit(1);
    }
}
