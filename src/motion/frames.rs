//! How the frames of a batch have moved, one after another: a search goes on from what the pair of frames before has shown.

use super::between::Earlier;
use super::{Field, Filters, SearchEffort, search};
use crate::cpu::CpuBackend;
use crate::error::Result;
use crate::stage::Backend;

/// How the first planes of frames have moved, each since the one before; of some pairs it is `known` already, by the number of
/// the first frame. A device searches all pairs up to the next known one at once, if they have one filter; filters that take
/// turns are chosen pair by pair, on the CPU, because that begins from where blocks went before.
pub fn search_all<'a>(
    frames: &[&[u8]],
    width: usize,
    filters: Filters,
    known: impl Fn(usize) -> Option<&'a Field>,
    effort: SearchEffort,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::with_capacity(frames.len());
    while let Some(&pair) = frames.get(fields.len()..).and_then(|rest| rest.first_chunk::<2>()) {
        let (at, last) = (fields.len(), fields.last());
        if let Some(field) = known(at) {
            fields.push(field.clone());
        } else if let Some(filter) = filters.only().filter(|_| !backend.is_cpu()) {
            let pairs = (at..frames.len() - 1).take_while(|&pair| known(pair).is_none()).count();
            let found = backend.search(&frames[at..=at + pairs], width, filter, last, effort)?;
            fields.extend(found);
        } else {
            fields.push(search_pair(pair, width, filters, last, effort, backend, cpu)?);
        }
    }
    Ok(fields)
}

/// How the first plane of a frame has moved since another one; `last` is where a search begins.
pub(super) fn search_pair(
    pair: [&[u8]; 2],
    width: usize,
    filters: Filters,
    last: Option<&Field>,
    effort: SearchEffort,
    backend: &dyn Backend,
    cpu: &CpuBackend,
) -> Result<Field> {
    if backend.is_cpu() || pair[0] == pair[1] {
        return search(pair, width, filters, last, effort, cpu);
    }
    let filter = match filters.only() {
        Some(filter) => filter,
        None => filters.of_pair(&Earlier::new(pair[0], width, cpu), pair[1], width, last, cpu)?,
    };
    let found = backend.search(&pair, width, filter, last, effort)?;
    Ok(found.into_iter().next().unwrap_or_else(|| Field::still(width, pair[0].len() / width)))
}
