//! What is costly to make anew, such as memory, kept for whoever needs one next.

use std::sync::Mutex;

use super::lock;

/// Some of a kind. What they hold is left over from their last use.
#[derive(Debug)]
pub(crate) struct Spares<T>(Mutex<Vec<T>>);

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Spares<T> {
    /// The last one that was kept, if there is one.
    pub fn take(&self) -> Option<T> {
        lock(&self.0).pop()
    }

    /// Keeps one more.
    pub fn give(&self, spare: T) {
        lock(&self.0).push(spare);
    }

    /// Keeps one more, unless there are so many.
    pub fn give_up_to(&self, most: usize, spare: T) {
        let mut spares = lock(&self.0);
        if spares.len() < most {
            spares.push(spare);
        }
    }

    /// Keeps these alone.
    pub fn replace(&self, spares: Vec<T>) {
        *lock(&self.0) = spares;
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }
}
