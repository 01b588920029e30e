//! When each dispatch of a recording began and ended, by the clock of the device.

use std::time::Duration;

/// Before and after.
const PER_DISPATCH: usize = 2;

/// Most queries of a set.
const SET_QUERIES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize;

/// The queries of one recording.
pub(super) struct Timestamps {
    sets: Vec<wgpu::QuerySet>,
    /// Where the device puts the answers, before they can be copied.
    resolved: wgpu::Buffer,
    dispatches: usize,
    nanoseconds_per_tick: f64,
}

impl Timestamps {
    /// `None` if the device was not opened with timestamp queries, or nothing is dispatched.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, dispatches: usize) -> Option<Self> {
        if dispatches == 0 || !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = PER_DISPATCH * dispatches;
        let set = |first: usize| {
            device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: (queries - first).min(SET_QUERIES) as u32,
            })
        };
        let resolved = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes(dispatches),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let sets = (0..queries).step_by(SET_QUERIES).map(set).collect();
        Some(Self { sets, resolved, dispatches, nanoseconds_per_tick: f64::from(queue.get_timestamp_period()) })
    }

    /// Bytes of the answers.
    pub fn bytes(&self) -> u64 {
        bytes(self.dispatches)
    }

    /// What the pass of dispatch number `at` has to write.
    pub fn writes(&self, at: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = PER_DISPATCH * at;
        let within = (first % SET_QUERIES) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.sets[first / SET_QUERIES],
            beginning_of_pass_write_index: Some(within),
            end_of_pass_write_index: Some(within + 1),
        }
    }

    /// Each set of queries, how many it has, and where its answers start in [`resolved`](Self::resolved).
    pub fn sets(&self) -> impl Iterator<Item = (&wgpu::QuerySet, u32, u64)> {
        let set_bytes = SET_QUERIES as u64 * u64::from(wgpu::QUERY_SIZE);
        self.sets.iter().zip(0..).map(move |(set, at)| (set, set.count(), at * set_bytes))
    }

    pub fn resolved(&self) -> &wgpu::Buffer {
        &self.resolved
    }

    /// What each dispatch took, from the answers. `None` where the clock went backwards.
    pub fn read(&self, answers: &[u8]) -> Vec<Option<Duration>> {
        let ticks = answers.as_chunks::<8>().0;
        let time = |[start, end]: &[[u8; 8]; PER_DISPATCH]| {
            let ticks = u64::from_le_bytes(*end).checked_sub(u64::from_le_bytes(*start))?;
            Some(Duration::from_nanos((ticks as f64 * self.nanoseconds_per_tick) as u64))
        };
        ticks.as_chunks::<PER_DISPATCH>().0.iter().map(time).collect()
    }
}

fn bytes(dispatches: usize) -> u64 {
    (PER_DISPATCH * dispatches) as u64 * u64::from(wgpu::QUERY_SIZE)
}
