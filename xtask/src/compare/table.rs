//! Ratios of times, and what they must reach.

use std::fmt::Write;

use super::Measured;

/// A column: how much longer the first side takes than the second one.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("PoCL 1", "pocl-1", "vega-1"),
    ("PoCL 2", "pocl-2", "vega-2"),
    ("Rust 1", "rust-1", "vega-1"),
    ("OpenBLAS 1", "blas-1", "vega-1"),
    ("interpreter 1", "interpreter-1", "vega-1"),
    ("2 threads", "vega-1", "vega-2"),
];

/// Columns with a geometric mean of all rows.
const MEANS: usize = 2;

/// What a ratio must reach: what a side takes for a row, over what another side takes.
const BOUNDS: &[(&str, &str, &str, f64)] = &[
    ("gemm_tile16/f32/512", "pocl-1", "vega-1", 8.0),
    ("gemm_tile16/f32/512", "pocl-2", "vega-2", 6.0),
    ("gemm_tile16/f32/1024", "pocl-1", "vega-1", 8.0),
    ("gemm_tile16/f32/1024", "pocl-2", "vega-2", 6.0),
    ("gemm_block64/f32/512", "pocl-1", "vega-1", 4.0),
    ("gemm_block64/f32/512", "pocl-2", "vega-2", 3.5),
    ("gemm_block64/f32/1024", "pocl-1", "vega-1", 4.0),
    ("gemm_block64/f32/1024", "pocl-2", "vega-2", 3.5),
    ("saxpy/f32/16777216", "pocl-1", "vega-1", 1.0),
    ("saxpy/f32/16777216", "pocl-2", "vega-2", 0.9),
    ("saxpy/f32/1048576", "pocl-1", "vega-1", 0.4),
    ("saxpy/f32/1048576", "pocl-2", "vega-2", 0.35),
    ("mandelbrot/f32/1024", "pocl-1", "vega-1", 5.0),
    ("mandelbrot/f32/1024", "pocl-2", "vega-2", 4.0),
    ("gemm_block64/f32/512", "blas-1", "vega-1", 0.3),
    ("gemm_block64/f32/1024", "blas-1", "vega-1", 0.3),
    ("gemm_tile16/f32/1024", "vega-1", "vega-2", 1.8),
    ("gemm_block64/f32/1024", "vega-1", "vega-2", 1.8),
    ("mandelbrot/f32/1024", "vega-1", "vega-2", 1.8),
    ("nbody/f32/4096", "vega-1", "vega-2", 1.8),
    ("gemm_tile16/f32/512", "vega-1", "avx2-1", 0.35),
    ("gemm_block64/f32/512", "vega-1", "avx2-1", 0.35),
];

/// What the geometric mean of the first two columns must reach.
const MEAN: f64 = 2.0;

/// What a hot launch of an empty kernel may take, in seconds, on either number of threads.
const LAUNCH: (&str, f64) = ("launch/hot", 20e-6);

fn seconds(measured: &Measured, side: &str, row: &str) -> Option<f64> {
    measured.get(side)?.get(row).copied()
}

fn ratio(measured: &Measured, row: &str, over: &str, under: &str) -> Option<f64> {
    Some(seconds(measured, over, row)? / seconds(measured, under, row)?)
}

/// The geometric mean; launches are no rows of the table.
fn mean(measured: &Measured, over: &str, under: &str) -> Option<f64> {
    let rows = measured.get(under)?.keys().filter(|row| !row.starts_with("launch"));
    let logs: Vec<f64> = rows.filter_map(|row| ratio(measured, row, over, under)).map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// The table, as text in cells.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Seconds with a unit.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn factor(ratio: Option<f64>) -> String {
    match ratio {
        None => String::new(),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) => format!("{ratio:.0}"),
    }
}

/// Names with their sizes as numbers, so that they are in order.
fn order(row: &str) -> (String, u64) {
    let (name, size) = row.rsplit_once('/').unwrap_or((row, "0"));
    (name.to_owned(), size.parse().unwrap_or(0))
}

impl Table {
    /// All rows that the virtual card has run on one thread.
    pub fn new(measured: &Measured) -> Self {
        let mut head = vec!["kernel/type/size".to_owned(), "Vega 1".to_owned()];
        head.extend(COLUMNS.iter().map(|(name, ..)| (*name).to_owned()));
        let mut names: Vec<&String> =
            measured.get("vega-1").into_iter().flat_map(|times| times.keys()).collect();
        names.sort_by_key(|row| order(row));
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in names {
            let mut cells = vec![row.clone(), seconds(measured, "vega-1", row).map_or(String::new(), time)];
            cells.extend(COLUMNS.iter().map(|(_, over, under)| factor(ratio(measured, row, over, under))));
            rows.push(cells);
        }
        let mut means = vec!["geometric mean".to_owned(), String::new()];
        means.extend(COLUMNS.iter().take(MEANS).map(|(_, over, under)| factor(mean(measured, over, under))));
        means.resize(head.len(), String::new());
        rows.push(means);
        Self { head, rows }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                self.rows.iter().chain([&self.head]).map(|row| row[column].len()).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in [&self.head].into_iter().chain(&self.rows) {
            let first = row.iter().zip(&widths).take(1).map(|(cell, width)| format!("{cell:<width$}"));
            let rest = row.iter().zip(&widths).skip(1).map(|(cell, width)| format!("{cell:>width$}"));
            let _ = writeln!(text, "{}", first.chain(rest).collect::<Vec<_>>().join("  "));
        }
        text
    }

    /// For README.md.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.head);
        text += &format!("|---|{}\n", "---:|".repeat(self.head.len() - 1));
        self.rows.iter().for_each(|row| text += &line(row));
        text
    }
}

/// Every bound whose sides were measured, and whether all hold.
pub fn bounds(measured: &Measured) -> (String, bool) {
    let mut lines = Vec::new();
    let mut check = |what: String, found: String, wanted: String, holds: bool| {
        lines.push((
            format!("{what:<44} {found:>9} {wanted:>9}  {}", if holds { "" } else { "too slow" }),
            holds,
        ));
    };
    for (row, over, under, least) in BOUNDS {
        if let Some(found) = ratio(measured, row, over, under) {
            let what = format!("{row}: {over} / {under}");
            check(what, format!("{found:.2}"), format!(">= {least}"), found >= *least);
        }
    }
    for (name, over, under) in COLUMNS.iter().take(MEANS) {
        if let Some(found) = mean(measured, over, under) {
            let what = format!("geometric mean, {name}");
            check(what, format!("{found:.2}"), format!(">= {MEAN}"), found >= MEAN);
        }
    }
    let (row, most) = LAUNCH;
    for side in ["vega-1", "vega-2"] {
        if let Some(found) = seconds(measured, side, row) {
            check(format!("{row}: {side}"), time(found), format!("< {}", time(most)), found < most);
        }
    }
    let holds = lines.iter().all(|(_, holds)| *holds);
    (lines.into_iter().map(|(line, _)| line + "\n").collect(), holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let times = |pairs: &[(&str, f64)]| pairs.iter().map(|(row, s)| ((*row).to_owned(), *s)).collect();
        Measured::from([
            (
                "vega-1",
                times(&[("saxpy/f32/1048576", 1e-3), ("mandelbrot/f32/1024", 1.0), ("launch/hot", 1e-5)]),
            ),
            ("pocl-1", times(&[("saxpy/f32/1048576", 5e-4), ("mandelbrot/f32/1024", 9.0)])),
        ])
    }

    #[test]
    fn ratios_and_their_mean_are_compared_with_the_bounds() {
        let (text, holds) = bounds(&measured());
        assert!(holds, "{text}");
        assert!(text.contains("geometric mean, PoCL 1") && text.contains("2.12"), "{text}");
        let mut slow = measured();
        slow.insert("vega-1", [("mandelbrot/f32/1024".to_owned(), 2.0)].into());
        let (text, holds) = bounds(&slow);
        assert!(!holds && text.contains("too slow"), "{text}");
    }

    #[test]
    fn the_table_has_a_row_for_each_kernel() {
        let table = Table::new(&measured());
        assert!(table.markdown().contains("| mandelbrot/f32/1024 | 1.00 s | 9.00 |"), "{}", table.markdown());
        assert_eq!(table.text().lines().count(), 5);
    }
}
