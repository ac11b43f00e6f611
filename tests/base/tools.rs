//! The ground floor (`src/base/`). The expected values come from the RFCs and from date(1).

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use unix_http::base::secret_name::is_secret_name;
use unix_http::base::{base64, nearest, number, percent, text, time};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// RFC 4648 §10.
#[test]
fn every_byte_sequence_has_one_base64_encoding() {
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (bytes, coded) in vectors {
        assert_eq!(base64::encode(bytes.as_bytes()), coded);
        assert_eq!(base64::decode(coded).as_deref(), Some(bytes.as_bytes()));
    }
    for length in 0..70 {
        let bytes: Vec<u8> = (0..length).map(|n| (n * 37) as u8).collect();
        assert_eq!(base64::decode(&base64::encode(&bytes)), Some(bytes));
    }
    let refused =
        ["A", "AA", "AAA", "AAAAA", "A===", "====", "AA=A", "AAA\n", "AB==", "AAB=", "=AAA"];
    for coded in refused {
        assert_eq!(base64::decode(coded), None, "{coded}");
    }
}

/// The first is the example of RFC 9110; the others come from `date -u -R -d @SECONDS`.
const HTTP_DATES: &[(u64, &str)] = &[
    (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
    (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
];

#[test]
fn http_dates_are_formatted_and_parsed() {
    for &(seconds, date) in HTTP_DATES {
        assert_eq!(time::http_date(at(seconds)), date);
        assert_eq!(time::parse_http_date(date.as_bytes()), Some(at(seconds)), "{date}");
    }
    let refused = [
        "",
        "sometime",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Now 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
    ];
    for date in refused {
        assert_eq!(time::parse_http_date(date.as_bytes()), None, "{date}");
    }
}

#[test]
fn rfc3339_times_are_formatted_and_parsed() {
    // `date -u -d @SECONDS +%FT%TZ`
    assert_eq!(time::rfc3339(at(951_782_399), 0), "2000-02-28T23:59:59Z");
    assert_eq!(time::rfc3339(at(1_709_251_199), 0), "2024-02-29T23:59:59Z");
    assert_eq!(time::rfc3339(at(4_107_542_400), 6), "2100-03-01T00:00:00.000000Z");
    let nanos = UNIX_EPOCH + Duration::new(1, 5);
    assert_eq!(time::rfc3339(nanos, 9), "1970-01-01T00:00:01.000000005Z");
    let millis = |text: &str| {
        time::parse_rfc3339(text).map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_millis())
    };
    for (text, want) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-02T00:00:00.123Z", 86_400_123),
        ("2000-02-29t23:59:59.000z", 951_868_799_000),
        ("2100-03-01T00:00:00+00:00", 4_107_542_400_000),
        ("2024-12-31T23:59:59.5+01:30", 1_735_684_199_500),
        ("2024-12-31T23:59:59.1239999999999-01:30", 1_735_694_999_123),
    ] {
        assert_eq!(millis(text), Some(want), "{text}");
    }
    for text in [
        "",
        "2024-12-31",
        "2024-12-31T23:59:59",
        "2024-12-31T23:59:59.Z",
        "2024-12-31T23:59:59.+1Z",
        "2024-12-31T23:59:59+1:30",
        "2024-12-31T23:59:59+01:99",
        "2024-13-31T23:59:59Z",
        "2023-02-29T23:59:59Z",
        "2024-12-00T23:59:59Z",
        "2024-12-31T24:59:59Z",
        "1969-12-31T23:59:59Z",
        "+024-12-31T23:59:59Z",
        "2024-12-31 23:59:59Z",
    ] {
        assert_eq!(millis(text), None, "{text}");
    }
}

#[test]
fn every_day_of_four_centuries_round_trips() {
    for day in 0..146_097 {
        let noon = at(day * 86_400 + 43_200);
        assert_eq!(time::parse_http_date(time::http_date(noon).as_bytes()), Some(noon));
        assert_eq!(time::parse_rfc3339(&time::rfc3339(noon, 9)), Some(noon));
    }
}

#[test]
fn numbers_consist_only_of_digits() {
    for (digits, want) in [
        ("0", Some(0)),
        ("007", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("99999999999999999999", None),
        ("", None),
        ("+5", None),
        ("-5", None),
        (" 5", None),
        ("5 ", None),
        ("0x5", None),
        ("٥", None),
    ] {
        assert_eq!(number::decimal(digits.as_bytes()), want, "{digits:?}");
    }
    for (digits, want) in [
        ("ffffffffffffffff", Some(u64::MAX)),
        ("0000000000000000f", Some(15)),
        ("10000000000000000", None),
        ("aF", Some(0xaf)),
        ("", None),
        ("0x1", None),
        ("g", None),
    ] {
        assert_eq!(number::hexadecimal(digits.as_bytes()), want, "{digits:?}");
    }
    assert_eq!([number::port(b"65535"), number::port(b"65536")], [Some(65535), None]);
}

#[test]
fn percent_decoding_is_strict_or_follows_curl() {
    assert_eq!(percent::encode(b"AZaz09-._~ /%\xff"), "AZaz09-._~%20%2F%25%FF");
    for (text, strict, lenient) in [
        ("a%20b+c", Some("a b+c"), "a b+c"),
        ("%zz%4", None, "%zz%4"),
        ("%+1", None, "%+1"),
        ("%", None, "%"),
        ("%2525", Some("%25"), "%25"),
        ("", Some(""), ""),
    ] {
        assert_eq!(percent::decode(text.as_bytes()).as_deref(), strict.map(str::as_bytes));
        assert_eq!(percent::decode_lenient(text.as_bytes()), lenient.as_bytes());
    }
    let every: Vec<u8> = (0..=255).collect();
    assert_eq!(percent::decode(percent::encode(&every).as_bytes()), Some(every));
}

#[test]
fn displayed_text_cannot_control_a_terminal() {
    let every: Vec<u8> = (0..=255).collect();
    let tricky =
        "\u{85}\u{9b}31m\u{61c}\u{200e}\u{200f}\u{2028}\u{202e}\u{2066}\u{2069}é漢".as_bytes();
    for bytes in [&every[..], tricky] {
        let visible = text::visible(bytes);
        assert!(!visible.chars().any(|c| c.is_control() || text::reorders_text(c)), "{visible}");
        let harmless = text::harmless(bytes);
        let spoils = |c: char| c != '\t' && (c.is_control() || text::reorders_text(c));
        assert!(!harmless.chars().any(spoils), "{harmless}");
    }
    assert!(text::visible(tricky).ends_with("é漢"));
    let head = "HTTP/1.1 200 \u{9b}2J\r\nX: \u{202e}y\r\n\r\n".as_bytes();
    for (url, shown) in [
        ("http://u:pw@h/a:b", "http://u:***@h/a:b"),
        ("u:p/w?@h:x/", "u:***@h:x/"),
        ("tcp://u:@h", "tcp://u:@h"),
        ("http://u@h:80/", "http://u@h:80/"),
        ("http://h:80/", "http://h:80/"),
        ("/containers/a@b", "/containers/a@b"),
        ("", ""),
    ] {
        assert_eq!(text::without_password(url.as_bytes()), shown);
    }
    let shown = text::harmless_lines(head);
    assert_eq!(&shown[..], &b"HTTP/1.1 200 \\u{9b}2J\r\nX: \\u{202e}y\r\n\r\n"[..]);
}

#[test]
fn distances_are_symmetric() {
    for (a, b, want) in [
        ("", "", 0),
        ("abc", "abc", 0),
        ("abc", "", 3),
        ("sockt", "socket", 1),
        ("ab", "ba", 1),
        ("dmeo", "demo", 1),
        ("abcd", "badc", 2),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
    ] {
        assert_eq!(nearest::distance(a.as_bytes(), b.as_bytes()), want, "{a} {b}");
        assert_eq!(nearest::distance(b.as_bytes(), a.as_bytes()), want, "{b} {a}");
    }
}

#[test]
fn only_a_close_and_unambiguous_name_is_suggested() {
    let names = ["unix-socket", "explain", "silent", "range", "raw"];
    let meant = |name| nearest::nearest(name, names);
    assert_eq!(meant("unix-sockt"), Some("unix-socket"));
    assert_eq!(meant("slient"), Some("silent"));
    assert_eq!([meant("nonsense"), meant("x"), meant("ra")], [None; 3]);
    assert_eq!(nearest::nearest("abcdef", ["abcdeg", "abcdeh"]), None);
}

#[test]
fn the_words_of_a_name_decide_whether_it_is_secret() {
    let secret = "password DB_PASS PGPASSWORD PGPASS MYSQL_PWD pwd GPG_PASSPHRASE REDIS_AUTH \
        auth identitytoken GITHUB_PAT SSH_KEY AWS_ACCESS_KEY_ID SigningCAKey UnlockKey TOKEN2 \
        splunk-token X_API-KEY apiKey X-Csrf-Token com.example.api_token --password SESSION \
        traefik.basicauth";
    for name in secret.split_ascii_whitespace() {
        assert!(is_secret_name(name.as_bytes()), "{name}");
    }
    let plain = "PATH PWD OLDPWD HOME Author authors GPG_KEY PUBLIC_KEY Key Secrets SecretID \
        SecretName DB_PASSWORD_FILE token_type compass-x Sec-WebSocket-Key WWW-Authenticate";
    for name in plain.split_ascii_whitespace() {
        assert!(!is_secret_name(name.as_bytes()), "{name}");
    }
}
