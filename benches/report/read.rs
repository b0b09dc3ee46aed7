//! The results as criterion and serving leave them.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use forklore_benches::BenchResult;
use forklore_benches::contestants::{Contestant, GROUPS};
use forklore_benches::figures::{Memory, Missing, SERVERS, ServingResults, ServingRun};
use forklore_benches::machine::Machine;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::figure::{Figure, Unit, number};

/// All that was measured, and where and when.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measurements {
    /// The day of the last measurement.
    pub(crate) taken: String,
    pub(crate) machine: Machine,
    pub(crate) figures: Vec<Figure>,
    pub(crate) missing: Vec<Missing>,
}

/// `benchmark.json`
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
}

/// How much one iteration does, as far as it is used here.
#[derive(Deserialize)]
enum Throughput {
    Bytes(u64),
    Elements(u64),
}

/// `estimates.json`, in nanoseconds.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

fn read<T: DeserializeOwned>(file: &Path) -> BenchResult<T> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?)
}

impl Measurements {
    /// Those in cargo's target folder.
    pub(crate) fn in_target(target: &Path) -> BenchResult<Measurements> {
        let mut results = Measurements::default();
        let (mut folders, mut latest) = (Vec::new(), None);
        rounds(&target.join("criterion"), &mut folders)?;
        for (folder, round) in folders {
            let file = folder.join("estimates.json");
            latest = latest.max(Some(file.metadata()?.modified()?));
            results.add(read(&folder.join("benchmark.json"))?, round, read(&file)?);
        }
        let since = latest.map(|time| time.duration_since(UNIX_EPOCH)).transpose()?;
        let mut seconds = since.map_or(0, |since| since.as_secs());
        let file = target.join("serving/results.json");
        if file.is_file() {
            let serving: ServingResults = read(&file)?;
            seconds = seconds.max(serving.taken);
            results.add_serving(serving);
        }
        let file = target.join("memory/results.json");
        if file.is_file() {
            results.add_memory("memory", read(&file)?);
        }
        let file = target.join("missing.json");
        if file.is_file() {
            let missing: Vec<Missing> = read(&file)?;
            let news = missing.into_iter().filter(|one| !results.missing.contains(one)).collect::<Vec<_>>();
            results.missing.extend(news);
        }
        if results.figures.is_empty() {
            return Err(format!("nothing was measured: no results in {}", target.display()).into());
        }
        results.sort();
        results.taken = day(seconds);
        results.machine = read(&target.join("machine.json"))?;
        Ok(results)
    }

    /// Those that a report has left.
    pub(crate) fn in_file(file: &Path) -> BenchResult<Measurements> {
        read(file)
    }

    fn add(&mut self, benchmark: Benchmark, round: u32, estimates: Estimates) {
        let time = estimates.median.point_estimate;
        let (unit, value) = match (&*benchmark.group_id, benchmark.throughput) {
            ("ipc_one_way" | "ipc_object_one_way", Some(Throughput::Bytes(count))) => {
                (Unit::Bytes, count as f64 * 1e9 / time)
            }
            ("handle_passing", Some(Throughput::Elements(count))) => (Unit::Rate, count as f64 * 1e9 / time),
            _ => (Unit::Time, time),
        };
        let function = benchmark.function_id.unwrap_or_default();
        let parameter = benchmark.value_str.unwrap_or_default();
        self.put(benchmark.group_id, function, parameter, unit, round, value);
    }

    fn add_serving(&mut self, serving: ServingResults) {
        for ServingRun { contestant, load, round, rate, latency, processor } in serving.runs {
            let mut put = |group: &str, parameter: &str, unit, value| {
                self.put(group.to_owned(), contestant.clone(), parameter.to_owned(), unit, round, value);
            };
            put("serving", &load, Unit::Rate, rate);
            for (percent, microseconds) in ["50 %", "75 %", "90 %", "99 %"].iter().zip(latency) {
                put(&format!("latency, {load}"), percent, Unit::Time, microseconds * 1e3);
            }
            for (who, microseconds) in ["the primary", "the workers"].iter().zip(processor) {
                put(&format!("processor time, {load}"), who, Unit::Time, microseconds * 1e3);
            }
        }
        self.add_memory("memory of servers", serving.memory);
        self.missing.extend(serving.missing);
    }

    /// What a process has is the mean of those of its kind.
    fn add_memory(&mut self, group: &str, memory: Vec<Memory>) {
        let mut kinds: Vec<(_, Vec<[u64; 3]>)> = Vec::new();
        for one in memory {
            let group = format!("{group}, {}", one.moment);
            let who = one.process.trim_end_matches(|c: char| c == ' ' || c.is_ascii_digit());
            let key = (group, one.contestant, who.to_owned(), one.round);
            let values = [one.private_dirty, one.proportional, one.resident];
            match kinds.iter_mut().find(|(known, _)| *known == key) {
                Some((_, processes)) => processes.push(values),
                None => kinds.push((key, vec![values])),
            }
        }
        for ((group, contestant, who, round), processes) in kinds {
            for (kind, name) in ["private dirty", "proportional", "resident"].iter().enumerate() {
                let mean = processes.iter().map(|process| process[kind] as f64).sum::<f64>() / processes.len() as f64;
                let parameter = format!("{who}, {name}");
                self.put(group.clone(), contestant.clone(), parameter, Unit::Memory, round, mean);
            }
        }
    }

    /// As they are listed, and by their parameters where these are numbers.
    fn sort(&mut self) {
        self.figures.sort_by(|a, b| {
            let key = |one: &Figure| (one.group.clone(), position(&one.group, &one.function));
            let numbers = number(&a.parameter).zip(number(&b.parameter));
            let parameters = numbers.map_or(Ordering::Equal, |(a, b)| a.total_cmp(&b));
            key(a).cmp(&key(b)).then(parameters)
        });
    }

    fn put(&mut self, group: String, function: String, parameter: String, unit: Unit, round: u32, value: f64) {
        let same = |one: &&mut Figure| one.group == group && one.function == function && one.parameter == parameter;
        match self.figures.iter_mut().find(same) {
            Some(figure) => figure.rounds.push((round, value)),
            None => self.figures.push(Figure { group, function, parameter, unit, rounds: vec![(round, value)] }),
        }
    }

    pub(crate) fn find(&self, group: &str, function: &str, parameter: &str) -> Option<&Figure> {
        let mut figures = self.figures.iter();
        figures.find(|one| one.group == group && one.function == function && one.parameter == parameter)
    }
}

/// Who is listed in a group. What serving measures is in several groups.
pub(crate) fn listed(group: &str) -> &'static [Contestant] {
    GROUPS.iter().find(|listed| listed.name == group).map_or(&SERVERS, |listed| listed.contestants)
}

fn position(group: &str, name: &str) -> usize {
    let listed = listed(group);
    listed.iter().position(|contestant| contestant.name == name).unwrap_or(listed.len())
}

/// The folders `round-N` below, with their numbers, in an order that is the same everywhere.
fn rounds(folder: &Path, found: &mut Vec<(PathBuf, u32)>) -> BenchResult<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut folders: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    for path in folders {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.strip_prefix("round-").and_then(|number| number.parse().ok()) {
            Some(round) => found.push((path, round)),
            None => rounds(&path, found)?,
        }
    }
    Ok(())
}

/// The day, in UTC, of so many seconds since 1970: `21 Nov 2026`.
fn day(seconds: u64) -> String {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    date.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_day_is_found_in_the_calendar() {
        assert_eq!(day(0), "01 Jan 1970");
        assert_eq!(day(1_795_219_200), "21 Nov 2026");
    }
}
