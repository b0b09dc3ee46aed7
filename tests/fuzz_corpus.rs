//! The inputs in `fuzz/corpus` through the bodies of the fuzz targets, without a fuzzer. `fuzz/run` looks for more of them.

#[path = "../fuzz/bodies/control.rs"]
mod control;
#[path = "../fuzz/bodies/frame.rs"]
mod frame;
#[path = "../fuzz/bodies/primary_hears.rs"]
mod primary_hears;
#[path = "../fuzz/bodies/worker_hears.rs"]
mod worker_hears;

use std::fs;

use harness::root;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = root().join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has inputs", folder.display());
    for file in files {
        println!("{}", file.display());
        check(&fs::read(&file).expect("an input"));
    }
}

/// One test, since one of them counts this process's descriptors.
#[test]
fn every_input_of_the_corpus_is_dealt_with() {
    replay("frame", frame::check);
    replay("control", control::check);
    replay("primary_hears", primary_hears::check);
    replay("worker_hears", worker_hears::check);
}
