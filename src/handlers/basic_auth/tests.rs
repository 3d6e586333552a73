use super::*;
use crate::{caddyfile::testing::Rows, handlers::testing::Site};

const ROWS: Rows = Rows { directives: &[BASICAUTH, BASIC_AUTH], matchers: &[], modules: &[] };
#[test]
fn accounts_have_a_user_and_a_hash() {
    let accounts = r#""accounts":[{"password":"$2a$14$x","username":"bob"}]"#;
    ROWS.adapt_to(&[
        (
            "basic_auth {\nbob $2a$14$x\n}",
            &format!(
                r#"[{{"handle":[{{"handler":"authentication","providers":{{"http_basic":{{{accounts},"hash":{{"algorithm":"bcrypt"}},"hash_cache":{{}}}}}}}}]}}]"#
            ),
        ),
        (
            "basicauth /secret/* argon2id \"My realm\" {\nbob $2a$14$x\n}",
            &format!(
                r#"[{{"match":[{{"path":["/secret/*"]}}],"handle":[{{"handler":"authentication","providers":{{"http_basic":{{{accounts},"hash":{{"algorithm":"argon2id"}},"hash_cache":{{}},"realm":"My realm"}}}}}}]}}]"#
            ),
        ),
    ]);
}
#[test]
fn what_is_wrong_is_said_in_caddy_s_words() {
    ROWS.fail_with(&[
        ("basic_auth foo {\na b\n}", "unrecognized hash algorithm: foo, at -:2"),
        ("basic_auth a b c {\n}", "wrong argument count or unexpected line ending after 'c', at -:2"),
        ("basic_auth {\na\n}", "username and password cannot be empty or missing, at -:3"),
        ("basic_auth {\na b c\n}", "wrong argument count or unexpected line ending after 'c', at -:3"),
    ]);
}

/// Of the password `hunter2`, with little cost.
const BCRYPT: &str = "$2a$06$cy8pGEBHCGEXoO4KFq./hOpMN3tQ0OOi6sjPm73mDWPm.DhyEBsAS";
const ARGON2ID: &str =
    "$argon2id$v=19$m=47104,t=1,p=1$hl2pAPAdRilyBfaFcNy3NQ$vDC6D9Fjh2hLS5ngTdNY/KSmYw7d0GpHzUc8TutUvOs";

fn site(basic: Value) -> Site {
    Site::of(json!([
        {"handler": "authentication", "providers": {"http_basic": basic}},
        {"handler": "static_response", "body": "{http.auth.user.id}"},
    ]))
}
/// Status, body and challenge for a user and a password.
async fn answer(site: &Site, credentials: &str) -> (u16, String, String) {
    let header = format!("basic {}", BASE64_STANDARD.encode(credentials));
    let reply = site.get("/", &[("authorization", &header)]).await;
    (reply.status.as_u16(), reply.text(), reply.field("www-authenticate"))
}
#[tokio::test]
async fn the_right_password_lets_its_user_pass() {
    let refused = (401, String::new(), "Basic realm=\"restricted\"".to_owned());
    let encoded = BASE64_STANDARD.encode(BCRYPT);
    for (algorithm, hash) in [("bcrypt", BCRYPT), ("argon2id", ARGON2ID), ("bcrypt", &encoded)] {
        for cache in [json!({}), Value::Null] {
            let site = site(json!({
                "accounts": [{"username": "bob", "password": hash}, {"username": "al", "password": hash}],
                "hash": {"algorithm": algorithm},
                "hash_cache": cache,
            }));
            for _ in 0..2 {
                let passed = |user: &str| (200, user.to_owned(), String::new());
                assert_eq!(answer(&site, "bob:hunter2").await, passed("bob"));
                assert_eq!(answer(&site, "al:hunter2").await, passed("al"));
                for wrong in ["bob:hunter3", "bob:", "eve:hunter2", ":hunter2", "bob"] {
                    assert_eq!(answer(&site, wrong).await, refused, "{wrong}");
                }
            }
        }
    }
}
#[tokio::test]
async fn who_says_nothing_is_asked() {
    let site = site(json!({"accounts": [{"username": "bob", "password": BCRYPT}], "realm": "My realm"}));
    for authorization in ["", "Bearer x", "Basic", "Basic ä", "Basic %%%"] {
        let reply = site.get("/", &[("authorization", authorization)]).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.field("www-authenticate"), "Basic realm=\"My realm\"");
        assert_eq!(reply.failure.as_deref(), Some("not authenticated"));
    }
}
#[tokio::test]
async fn a_hash_that_cannot_be_read_lets_nobody_pass() {
    for algorithm in ["bcrypt", "argon2id"] {
        let site = site(json!({
            "accounts": [{"username": "bob", "password": "$nonsense"}],
            "hash": {"algorithm": algorithm},
        }));
        let reply = site.get("/", &[("authorization", "Basic Ym9iOmh1bnRlcjI=")]).await;
        assert_eq!(reply.status, 401);
        assert_ne!(reply.exchange.text("http.auth.http_basic.error"), "", "{algorithm}");
    }
}
#[tokio::test]
async fn those_who_ask_at_once_wait_for_one_comparison() {
    let site = site(json!({"accounts": [{"username": "bob", "password": BCRYPT}], "hash_cache": {}}));
    let asked = futures_util::future::join_all((0..20).map(|_| answer(&site, "bob:hunter2"))).await;
    assert!(asked.iter().all(|(status, ..)| *status == 200));
}
#[test]
fn what_cannot_be_is_not_built() {
    let error = |providers: Value| {
        let handlers = json!([{"handler": "authentication", "providers": providers}]);
        Site::build(json!({"routes": [{"handle": handlers}]})).unwrap_err()
    };
    let basic = |basic: Value| json!({ "http_basic": basic });
    let bob = json!({"username": "bob", "password": BCRYPT});
    for (providers, expected) in [
        (json!({"nope": {}}), "unknown module: http.authentication.providers.nope"),
        (basic(json!({"hash": {"algorithm": "x"}})), "unknown module: http.authentication.hashes.x"),
        (basic(json!({"accounts": [bob, bob]})), "account 1: username is not unique: bob"),
        (
            basic(json!({"accounts": [{"username": "{env.NOT_SET_ANYWHERE}", "password": "x"}]})),
            "account 0: username and password are required",
        ),
        (basic(json!({"accounts": [{"username": "a", "password": "ä"}]})), "base64-decoding password: "),
    ] {
        let error = error(providers);
        assert!(error.contains(expected), "{error}");
    }
}
