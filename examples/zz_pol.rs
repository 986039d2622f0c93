//! scratch
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::oracle::Kind;
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::{Case, PolicyGene};
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: u64 = a[1].parse().unwrap();
    let spec = MmSubject::spec();
    let want: Vec<&str> = a[2..].iter().map(String::as_str).collect();
    for race in spec.races {
        if !want.is_empty() && !want.contains(&race.name) { continue; }
        let (sw, v) = spec.variant(race.switch, race.variant).unwrap();
        print!("{:<24}", race.name);
        for mode in 0..10usize {
            let mut g = Generator::new(spec, 5, Fixed::default());
            let mut case = Case::empty(spec);
            case.history = spec.profile("current").unwrap().history.to_vec();
            case.history[sw] = v;
            let mut ex = Executor::<MmSubject>::new();
            let mut ju = Examiner::new(spec);
            let (mut hits, mut races) = (0u64, 0u64);
            let start = Instant::now();
            let mut i = 0u64;
            while i < n {
                ex.session(|s| for _ in 0..256 {
                    i += 1;
                    g.fill(&mut case);
                    case.policy = PolicyGene::Stay;
                    if mode > 0 { case.decisions.clear(); 
                        let seed = (i.wrapping_mul(0x9E3779B97F4A7C15) >> 40) as u16;
                        case.policy = match mode { 1 => PolicyGene::Walk { seed, rate: 0 }, 2 => PolicyGene::Walk { seed, rate: 2 }, 3 => PolicyGene::Pos { seed }, 4 => PolicyGene::Pct { seed, depth: 1 }, 5 => PolicyGene::Pct { seed, depth: 2 }, 6 => PolicyGene::Pct { seed, depth: 3 }, 7 => PolicyGene::Urw { seed }, 8 => PolicyGene::Surw { seed, class: (seed >> 3) as u8 }, _ => PolicyGene::Periods { number: seed } };
                    }
                    let r = s.run(&case);
                    if let Some(f) = ju.judge(r, &case) {
                        hits += 1;
                        let normal = s.last().normal_form(&case);
                        let _ = f;
                        if hits <= 3000 && ju.kind(s, &normal).0 == Kind::Race { races += 1; }
                    }
                });
            }
            print!(" {races}/{hits}({:.0}s)", start.elapsed().as_secs_f64());
            use std::io::Write; std::io::stdout().flush().unwrap();
        }
        println!();
    }
}
