//! Which names denote secrets: `DB_PASSWORD`, `apiToken`, `X-Vault-Token`, `--auth`.
//!
//! The words of a name decide. A word ends at punctuation such as `_` and `-`, at a digit, and
//! where the case changes: `SigningCAKey` is `signing`, `ca` and `key`.

/// Every secret name contains one of these. Most names contain none, so this check is the first.
const HINTS: [&[u8]; 12] = [
    b"pass", b"pw", b"cred", b"secret", b"token", b"auth", b"cookie", b"jwt", b"bearer", b"pat",
    b"session", b"key",
];
/// Parts of words, and whole words.
const PARTS: &str = "passw passphrase passcode secret token credential apikey accesskey \
    privatekey sshkey unlockkey";
const WORDS: &str =
    "pass pwd pw auth authorization cred creds cookie cookies jwt bearer pat session";
/// Words that make a following `key` secret. `PUBLIC_KEY` and `GPG_KEY` (an id) are not secret.
const KEYS: &str = "access account admin api app auth aws ca client deploy encryption host jwt \
    license master private root server session signing ssh ssl storage tls unlock";
/// Last words of names that hold the location or the kind of a secret, not the secret.
const ABOUT: &str = "file path dir name type url uri ttl expires";
/// Exceptions: a shell's working directory, and the references to secrets in Docker's services.
const HARMLESS: &str = "PWD OLDPWD Secrets secrets SecretID";

/// Fields with secret values, in lower case, in addition to those that [`is_secret_name`] finds.
pub const FIELDS: &str = "authorization proxy-authorization cookie set-cookie x-api-key \
    x-auth-token x-registry-auth x-registry-config";

/// Returns whether the value that belongs to `name` is a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let has_hint = |at: usize| HINTS.iter().any(|hint| lower[at..].starts_with(hint));
    if !(0..lower.len()).any(has_hint) {
        return false;
    }
    let separate = separate(name);
    let words: Vec<&str> = separate.split_ascii_whitespace().collect();
    let is = |list: &str, word: &str| list.split_ascii_whitespace().any(|item| item == word);
    let secret = |word: &&str| {
        is(WORDS, word)
            || PARTS.split_ascii_whitespace().any(|part| word.contains(part))
            || ["pass", "pwd", "auth"].iter().any(|end| word.ends_with(end))
                && !["bypass", "compass"].contains(word)
    };
    let keys = || words.windows(2).any(|pair| is(KEYS, pair[0]) && pair[1].starts_with("key"));
    (words.iter().any(secret) || keys())
        && !words.last().is_some_and(|last| is(ABOUT, last))
        && !HARMLESS.split_ascii_whitespace().any(|harmless| harmless.as_bytes() == name)
}

/// Returns whether the field with this name (in any case) has a secret value.
pub fn is_secret_field(name: &str) -> bool {
    FIELDS.split_ascii_whitespace().any(|secret| secret.eq_ignore_ascii_case(name))
        || is_secret_name(name.as_bytes())
            && !name.eq_ignore_ascii_case("Access-Control-Allow-Credentials")
}

/// Writes the words of a name in lower case, with spaces between them.
fn separate(name: &[u8]) -> String {
    let is_lower = |at: usize| name.get(at).is_some_and(u8::is_ascii_lowercase);
    let mut text = String::new();
    for (at, byte) in name.iter().enumerate() {
        if at > 0 && byte.is_ascii_uppercase() && (is_lower(at - 1) || is_lower(at + 1)) {
            text.push(' ');
        }
        let is_letter = byte.is_ascii_alphabetic();
        text.push(if is_letter { byte.to_ascii_lowercase().into() } else { ' ' });
    }
    text
}
