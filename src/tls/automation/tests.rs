//! Against issuers of the tests' own.
use super::{obtain::path, *};
use crate::{
    storage::FileSystem,
    tls::{Asking, Authority, AuthoritySettings, LEAF_LIFETIME, OnDemand, Wanted},
};

#[derive(Debug)]
struct Internal;
impl Issuer for Internal {
    fn key(&self) -> String {
        "local".into()
    }
    fn issue<'a>(&'a self, request: Request<'a>) -> Issuing<'a> {
        let folder = std::env::temp_dir().join(format!("authority-{}", std::process::id()));
        let authority =
            Authority::new("local", AuthoritySettings::default(), Arc::new(FileSystem::new(folder)));
        let issued = authority.issue(request.name, request.key, LEAF_LIFETIME, false);
        Box::pin(async { Ok(IssuedChain { pem: issued?.chain, issuer_data: Value::Null }) })
    }
}
#[derive(Debug)]
struct Broken;
impl Issuer for Broken {
    fn key(&self) -> String {
        "broken".into()
    }
    fn issue<'a>(&'a self, _: Request<'a>) -> Issuing<'a> {
        Box::pin(async { Err("no".to_owned().into()) })
    }
}
const ISSUERS: &[IssuerModule] = &[
    IssuerModule { name: "internal", build: |_, _| Ok(Arc::new(Internal)) },
    IssuerModule { name: "acme", build: |_, _| Ok(Arc::new(Broken)) },
];
/// Permits names that end so.
#[derive(Debug)]
struct Permits;
impl Permission for Permits {
    fn ask<'a>(&'a self, name: &'a str) -> Asking<'a, ()> {
        let permitted = if name.ends_with(".ok.test") { Ok(()) } else { Err("no".to_owned()) };
        Box::pin(async { permitted })
    }
}
const PERMISSIONS: &[PermissionModule] = &[PermissionModule { name: "ok", build: |_| Ok(Arc::new(Permits)) }];
fn automation(folder: &std::path::Path, app: Value) -> Arc<Automation> {
    let storage: Arc<dyn Storage> = Arc::new(FileSystem::new(folder));
    let cx = IssuerContext {
        storage,
        authorities: BTreeMap::new(),
        challenges: Arc::default(),
        dns_modules: &[],
        dns: None,
        resolvers: vec![],
        managers: &[],
        permissions: PERMISSIONS,
    };
    let app = serde_json::from_value(app).unwrap();
    Arc::new(Automation::build(&app, ISSUERS, &cx, Arc::default()).unwrap())
}
#[tokio::test]
async fn a_certificate_is_obtained_stored_as_caddy_does_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = automation(folder.path(), json!({}));
    first.bring_up_to_date("*.app.localhost", 1).await.unwrap();
    assert!(first.managed.load().covers("x.app.localhost"));
    let at = "certificates/local/wildcard_.app.localhost";
    let storage = FileSystem::new(folder.path());
    let name = "wildcard_.app.localhost";
    assert_eq!(storage.list(at).unwrap(), ["crt", "json", "key"].map(|ending| format!("{name}.{ending}")));
    let data = storage.load(&format!("{at}/{name}.json")).unwrap();
    let expected = "{\n\t\"sans\": [\n\t\t\"*.app.localhost\"\n\t],\n\t\"issuer_data\": null\n}";
    assert_eq!(String::from_utf8(data).unwrap(), expected);
    let chain = storage.load(&format!("{at}/{name}.crt")).unwrap();
    let second = automation(folder.path(), json!({}));
    second.bring_up_to_date("*.app.localhost", 1).await.unwrap();
    assert_eq!(storage.load(&format!("{at}/{name}.crt")).unwrap(), chain, "it was not obtained again");
    second.forget_all_but(&["other".to_owned()]);
    assert!(!second.managed.load().covers("x.app.localhost"));
}
#[tokio::test]
async fn who_fails_says_why_and_the_next_issuer_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let alone = automation(folder.path(), json!({}));
    assert_eq!(alone.bring_up_to_date("example.com", 1).await.unwrap_err().message, "no");
    let policy =
        json!({"subjects": ["example.com"], "issuers": [{"module": "acme"}, {"module": "internal"}]});
    let both = automation(folder.path(), json!({"automation": {"policies": [policy]}}));
    both.bring_up_to_date("example.com", 1).await.unwrap();
    assert!(both.managed.load().covers("example.com"));
}
#[test]
fn the_first_policy_that_speaks_of_a_name_governs_it() {
    let folder = tempfile::tempdir().unwrap();
    let policies = json!([
        {"subjects": ["*.Example.com"], "issuers": [{"module": "internal"}]},
        {"issuers": [{"module": "acme"}]},
    ]);
    let automation = automation(folder.path(), json!({"automation": {"policies": policies}}));
    assert_eq!(automation.issuer_keys("a.example.com"), ["local"]);
    assert_eq!(automation.issuer_keys("example.com"), ["broken"]);
    assert_eq!(automation.issuer_keys("localhost"), ["local"], "nobody but us can certify it");
}
#[test]
fn a_damaged_certificate_in_the_storage_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let storage = FileSystem::new(folder.path());
    storage.store(&path("local", "localhost", "crt"), b"rubbish").unwrap();
    storage.store(&path("local", "localhost", "key"), b"rubbish").unwrap();
    let automation = automation(folder.path(), json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(automation.bring_up_to_date("localhost", 1)).unwrap();
    assert!(automation.managed.load().covers("localhost"));
}
#[tokio::test]
async fn names_that_someone_permits_are_certified_at_the_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let app = json!({"automation": {
        "policies": [{"on_demand": true, "issuers": [{"module": "internal"}]}],
        "on_demand": {"permission": {"module": "ok"}},
    }});
    let automation = automation(folder.path(), app);
    let managed = automation.managed.clone();
    let on_demand = Arc::new(OnDemand::new(automation, Arc::default(), managed));
    let handshake = async |name: &str| {
        let name = name.to_owned();
        let wanted = Wanted { name, signature_schemes: vec![], cipher_suites: vec![], local: None };
        assert!(on_demand.clone().find(wanted).await.is_none(), "it is where all find it");
    };
    for (name, certified) in [("a.ok.test", true), ("a.no.test", false), ("bad name.ok.test", false)] {
        assert!(on_demand.is_missing(name));
        handshake(name).await;
        assert_eq!(on_demand.is_missing(name), !certified, "{name}");
    }
}
#[test]
fn nobody_can_have_any_name_certified_without_a_permission() {
    let build = |policy: Value| {
        let app = serde_json::from_value(json!({"automation": {"policies": [policy]}})).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cx = IssuerContext {
            storage: Arc::new(FileSystem::new(folder.path())),
            authorities: BTreeMap::new(),
            challenges: Arc::default(),
            dns_modules: &[],
            dns: None,
            resolvers: vec![],
            managers: &[],
            permissions: &[],
        };
        Automation::build(&app, ISSUERS, &cx, Arc::default())
    };
    for open in [json!({"on_demand": true}), json!({"on_demand": true, "subjects": ["*.example.com"]})] {
        let error = build(open).unwrap_err();
        assert!(error.starts_with("on-demand TLS cannot be enabled without a permission module"), "{error}");
    }
    let bounded = build(json!({"on_demand": true, "subjects": ["a.example.com"]})).unwrap();
    assert!(bounded.is_on_demand("a.example.com") && !bounded.is_on_demand("b.example.com"));
}
/// A disk without room.
#[derive(Debug)]
struct FullDisk(FileSystem);
impl Storage for FullDisk {
    fn load(&self, key: &str) -> std::io::Result<Vec<u8>> {
        self.0.load(key)
    }
    fn store(&self, _: &str, _: &[u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
    fn delete(&self, key: &str) -> std::io::Result<()> {
        self.0.delete(key)
    }
    fn list(&self, prefix: &str) -> std::io::Result<Vec<String>> {
        self.0.list(prefix)
    }
    fn modified(&self, key: &str) -> std::io::Result<std::time::SystemTime> {
        self.0.modified(key)
    }
    fn lock(&self, name: &str, patience: Duration) -> std::io::Result<Box<dyn crate::storage::Lock>> {
        self.0.lock(name, patience)
    }
    fn describe(&self) -> String {
        "full".into()
    }
}
#[tokio::test]
async fn without_room_nothing_is_ordered_and_what_there_is_stays_served() {
    let folder = tempfile::tempdir().unwrap();
    let policy = json!({"subjects": ["localhost"], "issuers": [{"module": "internal"}], "renewal_window_ratio": 0.999_999});
    let app = json!({"automation": {"policies": [policy]}});
    automation(folder.path(), app.clone()).bring_up_to_date("localhost", 1).await.unwrap();
    let cx = IssuerContext {
        storage: Arc::new(FullDisk(FileSystem::new(folder.path()))),
        authorities: BTreeMap::new(),
        challenges: Arc::default(),
        dns_modules: &[],
        dns: None,
        resolvers: vec![],
        managers: &[],
        permissions: &[],
    };
    let app = serde_json::from_value(app).unwrap();
    let full = Automation::build(&app, ISSUERS, &cx, Arc::default()).unwrap();
    let error = full.bring_up_to_date("localhost", 1).await.unwrap_err();
    assert!(error.message.starts_with("failed storage check: "), "{}", error.message);
    assert!(full.managed.load().covers("localhost"));
}
