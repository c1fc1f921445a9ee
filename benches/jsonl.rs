//! Reading the columns of JSON lines, beside `serde_json` building every value of every line.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::run::Control;
use slowthink::samples::log::{Field, Reader, Role};
use std::fmt::Write as _;
use std::hint::black_box;

/// Four megabytes of rows with `text` bytes of prose each, an escape in every tenth word.
fn log(text: usize) -> String {
    let prose: String = (0..text / 5).map(|i| if i % 10 == 9 { "so\\n " } else { "word " }).collect();
    let mut lines = String::new();
    let mut i = 0;
    while lines.len() < 4 << 20 {
        let (task, correct, answer) = (i / 64, i % 3 == 0, i % 17);
        let row =
            format!("\"task_id\": \"t/{task}\", \"correct\": {correct}, \"answer\": \"{answer}\", \"score\": 0.{i}");
        let _ = writeln!(
            lines,
            "{{{row}, \"completion\": \"{prose}\", \"usage\": {{\"input\": [1, 2], \"output\": {i}}}}}"
        );
        i += 1;
    }
    lines
}

fn reader() -> Reader {
    let fields = [
        ("problem", "task_id", Role::Label),
        ("correct", "correct", Role::Verdict),
        ("answer", "answer", Role::Label),
        ("score", "score", Role::Number),
    ];
    Reader::new(fields.iter().map(|(name, key, role)| Field::new(name, &[key], *role, true)).collect(), false)
}

fn jsonl(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("jsonl");
    group.sample_size(20);
    for text in [40, 1500] {
        let lines = log(text);
        group.throughput(Throughput::Bytes(lines.len() as u64));
        for threads in [1, 2] {
            group.bench_function(format!("columns, {text} bytes of text a row, {threads} threads"), |b| {
                let control = Control::new(threads);
                b.iter(|| reader().feed(black_box(lines.as_bytes()), &control).map(|flaw| assert_eq!(flaw, None)));
            });
        }
        group.bench_function(format!("serde_json values, {text} bytes of text a row"), |b| {
            b.iter(|| {
                let rows = black_box(&lines).lines().map(serde_json::from_str::<serde_json::Value>);
                rows.filter_map(Result::ok).filter(|row| row["correct"] == true).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, jsonl);
criterion_main!(benches);
