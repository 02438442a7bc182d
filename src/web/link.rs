//! Links between pages: names of any kind, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in the value of a parameter; `/` may, and is easier to read.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// `path?name=value&…`, names and values encoded.
pub(super) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    for (at, (name, value)) in parameters.iter().enumerate() {
        link.push(if at == 0 { '?' } else { '&' });
        link.extend(encoded(name));
        link.push('=');
        link.extend(encoded(value));
    }
    link
}

/// A value, encoded.
pub(super) fn encoded(value: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(value, VALUE)
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn whatever_a_name_holds_a_link_leads_to_it() {
        assert_eq!(link("/browse", &[]), "/browse");
        assert_eq!(link("/browse", &[("path", "/a b"), ("offset", "0")]), "/browse?path=/a%20b&offset=0");
        assert_eq!(link("/browse", &[("a&b=#", "c")]), "/browse?a%26b%3D%23=c");
        assert_eq!(link("/b", &[("path", "/#?&=+%\"'<中")]), "/b?path=/%23%3F%26%3D%2B%25%22%27%3C%E4%B8%AD");
    }
}
