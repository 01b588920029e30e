//! Frames of a file that is mapped into memory, read by many threads at once: `cargo run --release --example memory_map
//! FILE.fpk`.

use std::fs::File;

use framepress::{Decompressor, SharedReader};
use memmap2::Mmap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected a .fpk file")?;
    let file = File::open(path)?;
    // SAFETY: nobody changes the file meanwhile. A program that cannot know that gives the `File` itself to the reader.
    let map = unsafe { Mmap::map(&file)? };
    let decompressor = Decompressor::default();
    let reader = SharedReader::new(&map[..], &decompressor)?;

    let frames = reader.frames();
    let threads = std::thread::available_parallelism()?.get() as u64;
    let sums = std::thread::scope(|scope| {
        let sum_of = |thread: u64| {
            let reader = &reader;
            // Every thread takes frames of its own, and waits for no other.
            let share = frames * thread / threads..frames * (thread + 1) / threads;
            scope.spawn(move || {
                let frames = reader.read_frames(share.clone())?;
                let sum = frames.as_bytes().iter().map(|&byte| u64::from(byte)).sum::<u64>();
                Ok::<_, framepress::Error>((share, sum))
            })
        };
        let readers: Vec<_> = (0..threads).map(sum_of).collect();
        readers.into_iter().map(|reader| reader.join().map_err(|_| "a thread panicked")).collect::<Result<Vec<_>, _>>()
    })?;
    for sum in sums {
        let (share, sum) = sum?;
        println!("frames {}..{}: their bytes add up to {sum}", share.start, share.end);
    }
    Ok(())
}
