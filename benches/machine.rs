//! The machine on which something was measured.

use std::fs;

use forklore::child_process::{Command, exec_file};
use serde::{Deserialize, Serialize};

use crate::installed;

/// What figures depend on besides the programs.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Each property and its value, in the order in which they are shown.
    pub properties: Vec<(String, String)>,
}

impl Machine {
    /// This one, now. What cannot be found out is left out.
    pub async fn here() -> Machine {
        let mut properties = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            properties.extend(value.map(|value| (name.to_owned(), value.trim().to_owned())));
        };
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).ok()?;
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
            value.map(|value| value.trim().to_owned())
        };
        add("processor", line("/proc/cpuinfo", "model name"));
        add("cores", std::thread::available_parallelism().ok().map(|cores| cores.to_string()));
        let memory = line("/proc/meminfo", "MemTotal");
        let memory = memory.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        add("memory", memory.map(|kibibytes| format!("{:.1} GiB", kibibytes / 1024.0 / 1024.0)));
        add("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").ok());
        let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        add("governor", Some(governor.unwrap_or_else(|_| "none to be seen".to_owned())));
        let pages = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok();
        let pages = pages.and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_owned()));
        add("transparent huge pages", pages);
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load = load.and_then(|text| Some(text.split_whitespace().next()?.to_owned()));
        add("load of the last minute, before", load);
        add("forklore", Some(env!("CARGO_PKG_VERSION").to_owned()));
        // pm2 itself starts a daemon, whatever it is asked, and pm2-runtime makes a folder.
        let folder = tempfile::tempdir().ok();
        let home = folder.as_ref().map(|folder| folder.path().as_os_str().to_owned()).unwrap_or_default();
        for (name, argument) in [
            ("rustc", "--version"),
            ("node", "--version"),
            ("nginx", "-v"),
            ("wrk", "-v"),
            ("pm2-runtime", "--version"),
        ] {
            let version = match installed(name) {
                Some(program) => said(Command::new(program).arg(argument).env("PM2_HOME", &home)).await,
                None => "not installed".to_owned(),
            };
            add(name, Some(version));
        }
        Machine { properties }
    }
}

/// The first line with a figure in it, wherever it is written: nginx has it on stderr, and wrk ends with 1 besides.
async fn said(command: Command) -> String {
    let (stdout, stderr) = match exec_file(command).await {
        Ok(output) => (output.stdout, output.stderr),
        Err(error) => (error.stdout().to_vec(), error.stderr().to_vec()),
    };
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit()));
    let line = line.unwrap_or("unknown").trim_start_matches("nginx version: ").trim_start_matches("wrk ");
    line.split(" [").next().unwrap_or(line).to_owned()
}
