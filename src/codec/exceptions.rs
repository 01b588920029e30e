//! Pixels that recovered planes do not make, as bytes.
//!
//! *Places*: runs of neighbouring pixels, for each the pixels left out before it and those it has but for one, both in
//! bytes that are added up until one of them is not 255. *Pixels*: for each channel, the difference of every pixel from
//! the one before, modulo 256.

use super::sums;
use crate::cpu::frame_sums::{self, Output};
use crate::cpu::recover::Exceptions;
use crate::error::{Error, Result};

/// Channels of an exception.
const CHANNELS: usize = 3;

/// Places and pixels of all parts of a batch, in order.
pub fn to_bytes(parts: &[Exceptions]) -> [Vec<u8>; 2] {
    let mut places = Vec::new();
    let mut next = 0;
    let mut run: Option<(usize, usize)> = None;
    let mut put = |(start, end): (usize, usize)| {
        sums::write(start - next, &mut places);
        sums::write(end - start - 1, &mut places);
        next = end;
    };
    for place in parts.iter().flat_map(|part| &part.places).map(|&place| place as usize) {
        run = match run {
            Some((start, end)) if end == place => Some((start, end + 1)),
            other => {
                other.map(&mut put);
                Some((place, place + 1))
            }
        };
    }
    run.map(&mut put);
    let mut pixels = Vec::new();
    for channel in 0..CHANNELS {
        let mut before = 0u8;
        for pixel in parts.iter().flat_map(|part| &part.pixels) {
            pixels.push(pixel[channel].wrapping_sub(before));
            before = pixel[channel];
        }
    }
    [places, pixels]
}

/// Puts exceptions into raw frames whose pixels have `channels` bytes.
///
/// # Errors
/// Corrupt if one lies beyond the frames, or if there are more places than pixels or fewer.
pub fn put(parts: [&[u8]; 2], channels: usize, Output { raw, sums }: Output<'_>) -> Result<()> {
    read(parts, raw.len() / channels, |place, pixel| {
        let out = &mut raw[channels * place..][..CHANNELS];
        out.copy_from_slice(&pixel);
        frame_sums::forget(sums, out);
    })
}

/// The exceptions of frames that have so many pixels, all of whose places are within.
///
/// # Errors
/// As [`put`], and for more pixels than can be counted.
#[cfg(feature = "gpu")]
pub fn from_bytes(parts: [&[u8]; 2], frame_pixels: usize) -> Result<Exceptions> {
    if u32::try_from(frame_pixels).is_err() {
        return Err(Error::limit("exceptions: of more pixels than can be counted"));
    }
    let mut exceptions = Exceptions::default();
    read(parts, frame_pixels, |place, pixel| {
        exceptions.places.push(place as u32);
        exceptions.pixels.push(pixel);
    })?;
    Ok(exceptions)
}

/// Hands on the place, among `frame_pixels`, and the channels of each exception.
fn read([places, pixels]: [&[u8]; 2], frame_pixels: usize, mut each: impl FnMut(usize, [u8; CHANNELS])) -> Result<()> {
    let outside = || Error::corrupt("exceptions: a place beyond the frames");
    let count = pixels.len() / CHANNELS;
    let mut bytes = places.iter();
    let (mut at, mut done) = (0usize, 0);
    let mut last = [0u8; CHANNELS];
    while !bytes.as_slice().is_empty() {
        let first = at.checked_add(number(&mut bytes)?).ok_or_else(outside)?;
        let length = number(&mut bytes)?.saturating_add(1);
        if length > count - done {
            return Err(Error::corrupt(format!("exceptions: more places than their {count} pixels")));
        }
        let end = first.checked_add(length).filter(|&end| end <= frame_pixels).ok_or_else(outside)?;
        for (place, number) in (first..end).zip(done..) {
            for (channel, last) in last.iter_mut().enumerate() {
                *last = last.wrapping_add(pixels[channel * count + number]);
            }
            each(place, last);
        }
        (at, done) = (end, done + length);
    }
    if done != count {
        return Err(Error::corrupt(format!("exceptions: {done} places for {count} pixels")));
    }
    Ok(())
}

fn number(bytes: &mut std::slice::Iter<'_, u8>) -> Result<usize> {
    sums::read(bytes).ok_or_else(|| Error::corrupt("exceptions: places end within a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceptions(places: &[u32]) -> Exceptions {
        let pixel = |place: u32| [place as u8, (3 * place) as u8, (place >> 2) as u8];
        Exceptions { places: places.to_vec(), pixels: places.iter().copied().map(pixel).collect() }
    }

    #[test]
    fn pixels_go_where_they_were() {
        let parts = [exceptions(&[0, 1, 2, 255, 256]), exceptions(&[]), exceptions(&[257, 600, 1500])];
        let [places, pixels] = to_bytes(&parts);
        for channels in [3, 4] {
            let mut raw = vec![77; channels * 1501];
            put([&places, &pixels], channels, (&mut raw).into()).unwrap();
            let mut expected = vec![77; channels * 1501];
            for (&place, pixel) in parts.iter().flat_map(|part| part.places.iter().zip(&part.pixels)) {
                expected[channels * place as usize..][..3].copy_from_slice(pixel);
            }
            assert_eq!(raw, expected);
            assert!(
                put([&places, &pixels], channels, (&mut raw[channels..]).into()).is_err(),
                "the last place is outside"
            );
        }
        assert!(to_bytes(&[]).iter().all(Vec::is_empty));
    }

    /// Those that are put in, if all places are within.
    #[cfg(feature = "gpu")]
    #[test]
    fn exceptions_are_the_same_again() {
        let expected = exceptions(&[0, 1, 2, 255, 256, 257, 600, 1500]);
        let bytes = to_bytes(std::slice::from_ref(&expected));
        let [places, pixels] = bytes.each_ref().map(Vec::as_slice);
        assert_eq!(from_bytes([places, pixels], 1501).unwrap(), expected);
        assert_eq!(from_bytes([&[], &[]], 0).unwrap(), Exceptions::default());
        assert!(from_bytes([places, pixels], 1500).is_err(), "the last place is outside");
        assert!(from_bytes([places, &pixels[3..]], 1501).is_err());
        assert!(from_bytes([places, pixels], usize::MAX).is_err(), "places that 32 bits cannot count");
        for end in 0..places.len() {
            assert!(from_bytes([&places[..end], pixels], 1501).is_err());
        }
    }

    #[test]
    fn damage_is_found() {
        let [places, pixels] = to_bytes(&[exceptions(&[3, 4, 900])]);
        let mut raw = vec![0; 3 * 1000];
        for end in 0..places.len() {
            assert!(put([&places[..end], &pixels], 3, (&mut raw).into()).is_err());
        }
        assert!(put([&places, &pixels[3..]], 3, (&mut raw).into()).is_err());
        assert!(put([&places, &[pixels.as_slice(), &[0; 3]].concat()], 3, (&mut raw).into()).is_err());
        put([&places, &pixels], 3, (&mut raw).into()).unwrap();
        for at in 0..places.len() {
            let mut damaged = places.clone();
            damaged[at] = damaged[at].wrapping_add(1);
            let mut other = vec![0; 3 * 1000];
            assert!(put([&damaged, &pixels], 3, (&mut other).into()).is_err() || other != raw);
        }
    }
}
