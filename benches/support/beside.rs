//! Measurements with criterion, printed as the ratio of each median to that of the floor.

use criterion::{Criterion, Throughput};
use std::time::{Duration, Instant};

/// A measurement: a name, and the work.
pub type Row<'a> = (&'a str, Box<dyn FnMut() + 'a>);

/// Measures each row. The first row is the floor. `bytes` is the number of bytes that the work
/// moves. `times` repeats the work in each call if the cost of the call itself matters.
pub fn beside(criterion: &mut Criterion, name: &str, bytes: usize, times: u32, rows: Vec<Row<'_>>) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64 * u64::from(times)));
    let mut floor = None;
    for (row, mut work) in rows {
        let mut samples: Vec<f64> = Vec::new();
        group.bench_function(row, |bencher| {
            bencher.iter_custom(|n| {
                let start = Instant::now();
                (0..n).for_each(|_| work());
                let took = start.elapsed();
                samples.push(took.as_secs_f64() * 1e9 / (n as f64 * f64::from(times)));
                took
            });
        });
        samples.sort_by(f64::total_cmp);
        let Some(&nanos) = samples.get(samples.len() / 2) else { continue };
        let floor = *floor.get_or_insert(nanos);
        println!("= {name}: {row}: {}, {:.2} × floor", time(nanos), nanos / floor);
    }
    group.finish();
}

fn time(nanos: f64) -> String {
    match nanos {
        _ if nanos < 1e4 => format!("{nanos:.1} ns"),
        _ if nanos < 1e7 => format!("{:.1} µs", nanos / 1e3),
        _ => format!("{:.1} ms", nanos / 1e6),
    }
}

/// Short measurements; use `cargo bench --bench NAME -- --measurement-time 5` for precise ones.
pub fn criterion() -> Criterion {
    let short = Criterion::default().without_plots().sample_size(30);
    short
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}
