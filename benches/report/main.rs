//! Makes tables and charts of what the benchmarks have found: `cargo run --release --package forklore-benches --bin report`

mod chart;
mod figure;
mod page;
mod read;
mod rows;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use forklore_benches::BenchResult;
use page::Picture;
use read::Measurements;

/// Makes tables and charts of what the benchmarks have found.
#[derive(Debug, Parser)]
#[command(name = "report", bin_name = "just bench-report", max_term_width = 100)]
struct ReportOptions {
    /// Cargo's target directory, where the results are. Default: our own
    #[arg(long, value_name = "DIRECTORY")]
    results: Option<PathBuf>,

    /// Where the report goes. Default: `benchmarks` in the target directory
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,

    /// The results.json of another report, for a comparison
    #[arg(long, value_name = "FILE")]
    over: Option<PathBuf>,

    /// A document whose table between the marks `benchmarks` is replaced
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
}

fn main() -> ExitCode {
    match report(&ReportOptions::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(options: &ReportOptions) -> BenchResult<()> {
    // We lie in target/release.
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).ok_or("the report lies in no folder of cargo's")?;
    let results = Measurements::in_target(options.results.as_deref().unwrap_or(target))?;
    let out = options.out.clone().unwrap_or_else(|| target.join("benchmarks"));
    let over = options.over.as_deref().map(Measurements::in_file).transpose()?;
    fs::create_dir_all(&out)?;
    let mut pictures = Vec::new();
    for group in page::groups(&results) {
        let (name, svg) = chart::chart(&results, over.as_ref(), &group)?;
        let file = format!("{name}.svg");
        fs::write(out.join(&file), svg)?;
        pictures.push(Picture { group, file });
    }
    fs::write(out.join("report.md"), page::page(&results, &pictures, over.as_ref()))?;
    fs::write(out.join("results.json"), serde_json::to_string(&results)? + "\n")?;
    fs::write(out.join("rows.json"), serde_json::to_string_pretty(&page::rows(&results))? + "\n")?;
    println!("written: {}", out.join("report.md").display());
    if let Some(readme) = &options.readme {
        let renewed = renewed(&fs::read_to_string(readme)?, &page::short(&results))
            .ok_or_else(|| format!("{} has no <!-- benchmarks --> and <!-- /benchmarks -->", readme.display()))?;
        fs::write(readme, renewed)?;
        println!("renewed: {}", readme.display());
    }
    Ok(())
}

/// The document with another table between the marks.
fn renewed(document: &str, table: &str) -> Option<String> {
    let (begin, end) = ("<!-- benchmarks -->\n", "<!-- /benchmarks -->");
    let (before, rest) = document.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}{table}{end}{after}"))
}
