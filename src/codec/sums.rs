//! Numbers that are mostly small, in bytes that are added up until one of them is not 255.

/// Appends a number.
pub fn write(mut value: usize, out: &mut Vec<u8>) {
    while value >= 255 {
        out.push(255);
        value -= 255;
    }
    out.push(value as u8);
}

/// Takes a number; `None` if the bytes end within it.
pub fn read(bytes: &mut std::slice::Iter<'_, u8>) -> Option<usize> {
    let mut value = 0usize;
    for &byte in bytes {
        value += usize::from(byte);
        if byte < 255 {
            return Some(value);
        }
    }
    None
}
