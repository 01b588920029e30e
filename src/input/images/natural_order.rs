//! Natural order: runs of digits compare as numbers, so that `frame2` comes before `frame10`.

use std::cmp::Ordering;

/// Compares two texts in natural order. Numbers of one value (`7` and `007`) are told apart by their
/// bytes, so that only equal texts are equal.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let mut left = a.as_bytes();
    let mut right = b.as_bytes();
    loop {
        let (left_digits, left_rest) = split_digits(left);
        let (right_digits, right_rest) = split_digits(right);
        if !left_digits.is_empty() && !right_digits.is_empty() {
            match compare_numbers(left_digits, right_digits) {
                Ordering::Equal => (left, right) = (left_rest, right_rest),
                unequal => return unequal,
            }
            continue;
        }
        match (left.split_first(), right.split_first()) {
            (Some((x, left_rest)), Some((y, right_rest))) if x == y => (left, right) = (left_rest, right_rest),
            (Some((x, _)), Some((y, _))) => return x.cmp(y),
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        }
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &'_ [u8]| digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    let (a, b) = (a.get(significant(a)..).unwrap_or_default(), b.get(significant(b)..).unwrap_or_default());
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count() {
        let sorted = [
            "", "1.png", "2.png", "010.png", "10.png", "a", "a1b2", "a1b10", "a02b1", "a2b1", "a2b1c", "ab", "é2",
            "é10",
        ];
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a, b), at.cmp(&other), "{a} {b}");
            }
        }
        assert_eq!(compare("99999999999999999999999998", "99999999999999999999999999"), Ordering::Less);
    }
}
