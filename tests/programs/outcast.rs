//! Does what only a process with few rights or few descriptors can show, and prints the error.
//!
//! `outcast uid`: gives up root, then asks to become root. `outcast emfile`: asks for a child with no descriptor left.
//! `outcast count`: counts its descriptors before and after failed starts. `outcast childless`: runs a
//! program, whatever it was told about SIGCHLD. `outcast fork`: copies itself. `outcast limit`: raises its limit of
//! descriptors and checks its own and a child's. `outcast primary-limit`: the same for a primary and its worker.

use std::cell::Cell;

use forklore::child_process::{Command, Stdio, exec_file};
use forklore::cluster::{Event, Options, Primary};
use forklore::sys::{descriptor_limit, fork, pidfd};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("uid") => {
            if Uid::effective().is_root() {
                setuid(Uid::from_raw(65534))?;
            }
            exec_file(Command::new("true").uid(0)).await.map(drop)
        }
        Some("emfile") => {
            let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
            let open = std::fs::read_dir("/proc/self/fd")?.count() as u64;
            setrlimit(Resource::RLIMIT_NOFILE, open, hard)?;
            Command::new("true").spawn().map(drop)
        }
        Some("count") => {
            let count = || std::fs::read_dir("/proc/self/fd").map(Iterator::count);
            let before = count()?;
            for _ in 0..50 {
                let _ = Command::new("no-such-program").descriptor(9, Stdio::Pipe).spawn();
            }
            println!("{} number of descriptors", if count()? == before { "same" } else { "another" });
            return Ok(());
        }
        Some("childless") => {
            let output = exec_file("echo").await.map(|output| output.stdout_lossy());
            println!("{output:?}");
            return Ok(());
        }
        Some("fork") => return Ok(fork()?),
        Some("limit") => return limit().await,
        Some("primary-limit") => return primary_limit().await,
        _ => return Err("usage: outcast uid|emfile|count|childless|fork|limit|primary-limit".into()),
    };
    match outcome {
        Ok(()) => println!("no error"),
        Err(error) => println!("{}: {error}", error.code().unwrap_or_default()),
    }
    Ok(())
}

fn fork() -> std::io::Result<()> {
    let value = Cell::new("old");
    let (reading, writing) = nix::unistd::pipe()?;
    let copy = fork::copy(|| {
        // Speaks only when the parent has changed its own.
        let told = nix::unistd::read(&reading, &mut [0]);
        print!("the copy saw {}, ", value.get());
        if told == Ok(1) { 7 } else { 1 }
    })?;
    value.set("new");
    nix::unistd::write(&writing, b"!")?;
    let end = pidfd::wait(&copy.pidfd, pidfd::Wait::Reap)?;
    println!("the parent sees {}\n{}", value.get(), end.map_or("still there".to_owned(), |end| format!("{end:?}")));
    Ok(())
}

async fn limit() -> Result<(), Box<dyn std::error::Error>> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let limits = || Command::shell("ulimit -Sn; ulimit -Hn");
    setrlimit(Resource::RLIMIT_NOFILE, 256, hard)?;
    for _ in 0..2 {
        descriptor_limit::raise()?;
    }
    assert_eq!(getrlimit(Resource::RLIMIT_NOFILE)?, (hard, hard));
    // A descriptor above the child's own limit is placed all the same.
    let child = limits().descriptor(300, std::io::pipe()?.0.into());
    assert_eq!(exec_file(child).await?.stdout_lossy(), format!("256\n{hard}\n"));
    // A limit that was set afterwards is meant for the children, too.
    setrlimit(Resource::RLIMIT_NOFILE, 400, hard)?;
    assert_eq!(exec_file(limits()).await?.stdout_lossy(), format!("400\n{hard}\n"));
    println!("as expected");
    Ok(())
}

async fn primary_limit() -> Result<(), Box<dyn std::error::Error>> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    for (raise, expected) in [(false, 256), (true, hard)] {
        setrlimit(Resource::RLIMIT_NOFILE, 256, hard)?;
        let primary = Primary::new(Options::default().raise_descriptor_limit(raise));
        // It prints its own limit.
        primary.fork(Command::shell("ulimit -Sn"))?;
        while !matches!(primary.next_event().await, Some(Event::Exit(..))) {}
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE)?, (expected, hard));
    }
    Ok(())
}
