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
pub const FIELDS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-registry-auth",
    "x-registry-config",
    "cookie",
    "set-cookie",
    "x-auth-token",
    "x-api-key",
];

/// Returns whether the value that belongs to `name` is a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let has_hint = |at: usize| HINTS.iter().any(|hint| lower[at..].starts_with(hint));
    if !(0..lower.len()).any(has_hint) {
        return false;
    }
    let is = |list: &str, word: &String| list.split_ascii_whitespace().any(|item| item == word);
    let words = words(name);
    let secret = |word: &String| {
        is(WORDS, word)
            || PARTS.split_ascii_whitespace().any(|part| word.contains(part))
            || ["pass", "pwd", "auth"].iter().any(|end| word.ends_with(end))
                && !matches!(word.as_str(), "bypass" | "compass")
    };
    let keys = || words.windows(2).any(|pair| is(KEYS, &pair[0]) && pair[1].starts_with("key"));
    (words.iter().any(secret) || keys())
        && !words.last().is_some_and(|last| is(ABOUT, last))
        && !HARMLESS.split_ascii_whitespace().any(|harmless| harmless.as_bytes() == name)
}

/// Returns whether the field with this name (in any case) has a secret value.
pub fn is_secret_field(name: &str) -> bool {
    FIELDS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
        || is_secret_name(name.as_bytes())
            && !name.eq_ignore_ascii_case("Access-Control-Allow-Credentials")
}

fn words(name: &[u8]) -> Vec<String> {
    let mut words = vec![String::new()];
    let is = |at: usize, kind: fn(&u8) -> bool| name.get(at).is_some_and(kind);
    for (at, byte) in name.iter().enumerate() {
        let after_lower = at > 0 && is(at - 1, u8::is_ascii_lowercase);
        let before_lower = at > 0 && is(at + 1, u8::is_ascii_lowercase);
        if byte.is_ascii_uppercase() && (after_lower || before_lower) {
            words.push(String::new());
        }
        match words.last_mut() {
            Some(word) if byte.is_ascii_alphabetic() => {
                word.push(byte.to_ascii_lowercase().into());
            }
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::is_secret_name;

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
}
