//! Plots of what was measured, as SVG: rates over sizes, a line for each side.

use std::fmt::Write;

use super::Measured;

/// Sides that have a line, their names and colours.
const SIDES: &[(&str, &str, &str)] = &[
    ("vega-1", "virtual Vega, 1 thread", "#c0392b"),
    ("vega-2", "virtual Vega, 2 threads", "#e67e22"),
    ("pocl-1", "PoCL, 1 thread", "#2c3e50"),
    ("pocl-2", "PoCL, 2 threads", "#7f8c8d"),
    ("rust-1", "Rust, 1 thread", "#27ae60"),
    ("blas-1", "OpenBLAS, 1 thread", "#2980b9"),
];

/// A plot: its file, the rows that it shows, what its rate counts, and the rate's work for a size.
type Plot = (&'static str, &'static str, &'static str, fn(f64) -> f64);

const PLOTS: &[Plot] = &[
    ("saxpy.svg", "saxpy/f32/", "Gelem/s (virtual)", |n| n),
    ("gemm_tile16.svg", "gemm_tile16/f32/", "GFLOP/s (virtual)", |n| 2.0 * n * n * n),
    ("gemm_block64.svg", "gemm_block64/f32/", "GFLOP/s (virtual)", |n| 2.0 * n * n * n),
    ("gemm_block64_f64.svg", "gemm_block64/f64/", "GFLOP/s (virtual)", |n| 2.0 * n * n * n),
];

/// The size of a picture, and of the margin around its axes.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;

/// Every plot with its file's name; those without two sizes are left out.
pub fn all(measured: &Measured) -> Vec<(&'static str, String)> {
    PLOTS.iter().filter_map(|plot| Some((plot.0, draw(plot, measured)?))).collect()
}

/// Sizes and rates of a side, in the order of sizes.
fn points(measured: &Measured, side: &str, (_, prefix, _, work): &Plot) -> Vec<(f64, f64)> {
    let times = measured.get(side).into_iter().flatten();
    let mut points: Vec<(f64, f64)> = times
        .filter_map(|(row, seconds)| {
            let size: f64 = row.strip_prefix(prefix)?.parse().ok()?;
            Some((size, work(size) / seconds / 1e9))
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn draw(plot: &Plot, measured: &Measured) -> Option<String> {
    let lines: Vec<_> = SIDES
        .iter()
        .map(|side| (side, points(measured, side.0, plot)))
        .filter(|(_, points)| points.len() > 1)
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points);
    let (low, high) = all().fold((f64::MAX, 0f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let top = all().map(|(_, y)| *y).fold(0.0, f64::max) * 1.05;
    if lines.is_empty() || low >= high {
        return None;
    }
    // Sizes are powers of two.
    let x = |size: f64| MARGIN + (size / low).log2() / (high / low).log2() * (WIDTH - 2.0 * MARGIN);
    let y = |rate: f64| HEIGHT - MARGIN - rate / top * (HEIGHT - 2.0 * MARGIN);
    let (name, unit) = (plot.1.trim_end_matches('/'), plot.2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"20\" font-size=\"14\">{name}, {unit} over sizes</text>\n"
    );
    for k in 0..=4 {
        let rate = top * f64::from(k) / 4.0;
        let at = y(rate);
        let _ = writeln!(
            svg,
            "<line x1=\"{MARGIN}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{rate:.1}</text>",
            WIDTH - MARGIN,
            MARGIN - 6.0,
            at + 4.0
        );
    }
    let mut sizes: Vec<f64> = all().map(|(size, _)| *size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x(size),
            HEIGHT - MARGIN + 18.0
        );
    }
    for (n, ((_, label, colour), points)) in lines.iter().enumerate() {
        let path: Vec<String> =
            points.iter().map(|(size, rate)| format!("{:.1},{:.1}", x(*size), y(*rate))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{label}</text>",
            path.join(" "),
            MARGIN + 10.0,
            MARGIN + 14.0 * n as f64
        );
    }
    svg += "</svg>\n";
    Some(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_needs_two_sizes_and_has_a_line_for_each_side() {
        let times = |pairs: &[(&str, f64)]| pairs.iter().map(|(row, s)| ((*row).to_owned(), *s)).collect();
        let mut measured = Measured::from([("vega-1", times(&[("saxpy/f32/1024", 1e-6)]))]);
        assert!(all(&measured).is_empty());
        let two = [("saxpy/f32/1024", 1e-6), ("saxpy/f32/4096", 2e-6)];
        measured.insert("vega-1", times(&two));
        measured.insert("pocl-1", times(&two));
        let plots = all(&measured);
        assert_eq!((plots.len(), plots[0].0), (1, "saxpy.svg"));
        assert_eq!(plots[0].1.matches("<polyline").count(), 2);
        assert!(plots[0].1.contains("virtual"));
    }
}
