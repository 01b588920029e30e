//! The Python literal in an `.npy` header: a dictionary of `descr`, `fortran_order` and `shape`.

use crate::error::{Error, Result};

/// The three fields, as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub descr: String,
    pub fortran_order: bool,
    pub shape: Vec<u64>,
}

/// Parses the dictionary. Keys may come in any order, with any white space, with a comma after the last.
pub(super) fn parse(text: &[u8]) -> Result<Fields> {
    let mut cursor = Cursor { rest: text };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    cursor.expect(b'{')?;
    while !cursor.take(b'}') {
        let key = cursor.string("key")?;
        cursor.expect(b':')?;
        let repeated = match key.as_str() {
            "descr" => descr.replace(cursor.descr()?).is_some(),
            "fortran_order" => fortran_order.replace(cursor.boolean()?).is_some(),
            "shape" => shape.replace(cursor.shape()?).is_some(),
            _ => {
                return Err(Error::invalid(format!(
                    "npy header: expected the keys descr, fortran_order and shape, found '{}'",
                    key.escape_default()
                )));
            }
        };
        if repeated {
            return Err(Error::invalid(format!("npy header: {key}: expected once, found twice")));
        }
        if !cursor.take(b',') {
            cursor.expect(b'}')?;
            break;
        }
    }
    if let Some(byte) = cursor.peek() {
        return Err(Error::invalid(format!("npy header: expected nothing after '}}', found {}", shown(Some(byte)))));
    }
    let missing = |key| Error::invalid(format!("npy header: {key}: missing"));
    Ok(Fields {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
    })
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) {
            return Ok(());
        }
        Err(Error::invalid(format!("npy header: expected {}, found {}", shown(Some(byte)), shown(self.peek()))))
    }

    /// The longest prefix whose bytes all satisfy `accept`.
    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| !accept(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        taken
    }

    fn string(&mut self, what: &str) -> Result<String> {
        let Some(quote @ (b'\'' | b'"')) = self.peek() else {
            return Err(Error::invalid(format!("npy header: {what}: expected a string, found {}", shown(self.peek()))));
        };
        self.take(quote);
        let text = self.take_while(|byte| byte != quote && byte != b'\\');
        if self.rest.first() != Some(&quote) {
            return Err(Error::invalid(format!("npy header: {what}: expected a string without escapes that ends")));
        }
        self.take(quote);
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn descr(&mut self) -> Result<String> {
        match self.peek() {
            Some(b'[' | b'(') => {
                Err(Error::unsupported("npy header: descr: expected one number type, found a structured type"))
            }
            _ => self.string("descr"),
        }
    }

    fn boolean(&mut self) -> Result<bool> {
        self.peek();
        match self.take_while(|byte| byte.is_ascii_alphanumeric()) {
            b"True" => Ok(true),
            b"False" => Ok(false),
            found => Err(Error::invalid(format!(
                "npy header: fortran_order: expected True or False, found '{}'",
                found.escape_ascii()
            ))),
        }
    }

    fn shape(&mut self) -> Result<Vec<u64>> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            self.peek();
            let digits = self.take_while(|byte| byte.is_ascii_digit());
            let axis = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            shape.push(axis.ok_or_else(|| {
                Error::invalid(format!(
                    "npy header: shape: expected a whole number that fits in 64 bits, found '{}' before {}",
                    digits.escape_ascii(),
                    shown(self.peek())
                ))
            })?);
            // Python 2 wrote long integers with an L.
            self.take(b'L');
            if !self.take(b',') {
                self.expect(b')')?;
                if shape.len() == 1 {
                    return Err(Error::invalid("npy header: shape: expected a tuple such as (3,), found (3)"));
                }
                break;
            }
        }
        Ok(shape)
    }
}

fn shown(byte: Option<u8>) -> String {
    byte.map_or_else(|| "the end".to_owned(), |byte| format!("'{}'", byte.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(descr: &str, fortran_order: bool, shape: &[u64]) -> Fields {
        Fields { descr: descr.to_owned(), fortran_order, shape: shape.to_vec() }
    }

    #[test]
    fn spellings() {
        let plain = parse(b"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 4), }  \n").unwrap();
        assert_eq!(plain, fields("<u2", false, &[3, 4]));
        let odd = parse(b" {\n\"shape\":(3L , 4L,),'fortran_order' :True\t,'descr':\"|b1\"}").unwrap();
        assert_eq!(odd, fields("|b1", true, &[3, 4]));
        let scalar = parse(b"{'shape': (), 'descr': '<f8', 'fortran_order': False}").unwrap();
        assert_eq!(scalar, fields("<f8", false, &[]));
    }

    #[test]
    fn refusals() {
        for (text, part) in [
            ("", "expected '{', found the end"),
            ("{", "key: expected a string, found the end"),
            ("{'descr': '<u2', 'fortran_order': False}", "shape: missing"),
            ("{'descr': '<u2', 'descr': '<u2'}", "descr: expected once, found twice"),
            ("{'descr': [('x', '<u2')]}", "found a structured type"),
            ("{'descr': '<u2}", "string without escapes that ends"),
            ("{'descr': '\\'<u2'}", "string without escapes that ends"),
            ("{'fortran_order': 1}", "expected True or False, found '1'"),
            ("{'shape': (3)}", "expected a tuple"),
            ("{'shape': (-3,)}", "found '' before '-'"),
            ("{'shape': (99999999999999999999,)}", "fits in 64 bits"),
            ("{'shape': (3 4)}", "expected ')', found '4'"),
            ("{'colour': 3}", "found 'colour'"),
            ("{'descr': '<u2', 'fortran_order': False, 'shape': (3,)} x", "expected nothing after"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
