//! Certificates decide whom the server takes for its Redis or Postgres, and a second service for the
//! issuer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;
mod stores;
#[path = "world/mod.rs"]
mod world;

use std::path::PathBuf;
use std::sync::Arc;

use everfresh_server::jwt::{Flaw, HttpFetch, RemoteKeys, Verifier};
use everfresh_server::rotation::{Rules, Transition};
use everfresh_server::store::{PostgresStore, RedisStore, Store, StoreError};
use program::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stores::postgres::Postgres;
use stores::{Folder, Redis, family, refresh, user};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use world::{NOON, NOON_SECONDS, World};

#[tokio::test]
async fn sessions_live_in_a_redis_behind_tls() {
    let ours = Authority::new();
    let redis = ours.redis("127.0.0.1");
    let store = ours.store(&redis);
    store.probe().await.unwrap();
    assert!(store.add_user(user("ann")).await.unwrap());
    let (token, row) = family(1, "ann", 0);
    store.open(row).await.unwrap();
    assert_eq!(refresh(&store, &token, Some(1), 1_000).await.transition, Transition::Rotated);
    assert_eq!(refresh(&store, &token, Some(1), 1_000).await.transition, Transition::Replayed);
}

#[tokio::test]
async fn a_redis_with_another_certificate_gets_nothing() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let good = ours.redis("127.0.0.1");
    let misnamed = ours.redis("redis.example");
    let foreign = theirs.redis("127.0.0.1");
    for redis in [&misnamed, &foreign] {
        let refused = ours.store(redis).probe().await;
        assert!(matches!(refused, Err(StoreError::Redis(_))), "{refused:?}");
    }
    let system = RedisStore::at(&good.url(), stores::terms(Rules::default())).unwrap();
    assert!(system.probe().await.is_err(), "the operating system does not know our authority");
    let plain = good.url().replace("rediss:", "redis:");
    let plain = RedisStore::at(&plain, stores::terms(Rules::default())).unwrap();
    assert!(plain.probe().await.is_err(), "it speaks nothing but TLS");
    let unchecked =
        RedisStore::at(&format!("{}/#insecure", good.url()), stores::terms(Rules::default()));
    assert!(match unchecked {
        Ok(store) => store.probe().await.is_err(),
        Err(_) => true,
    });
    ours.store(&good).probe().await.unwrap();
}

#[tokio::test]
async fn sessions_live_in_a_postgres_behind_tls() {
    let ours = Authority::new();
    let postgres = ours.postgres("127.0.0.1");
    let url = postgres.url_over_tcp("postgres") + "?sslmode=require";
    let terms = || stores::terms(Rules::default());
    let open = async |url: &str, pem: Option<&str>| {
        PostgresStore::open(url, pem.map(str::as_bytes), terms()).await
    };
    let store: Arc<dyn Store> = Arc::new(open(&url, Some(&ours.pem())).await.unwrap());
    assert!(store.add_user(user("ann")).await.unwrap());
    let (token, row) = family(1, "ann", 0);
    store.open(row).await.unwrap();
    assert_eq!(refresh(&store, &token, Some(1), 1_000).await.transition, Transition::Rotated);
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE application_name = 'everfresh-server'";
    assert_eq!(postgres.say("postgres", encrypted), "t");

    // With an authority of its own there is no way around TLS, also on this machine.
    let bare = postgres.url_over_tcp("postgres");
    open(&bare, Some(&ours.pem())).await.unwrap();
    let plain = Postgres::start_over_tcp(None);
    let url_of_plain = plain.url_over_tcp("postgres");
    let unencrypted = open(&url_of_plain, Some(&ours.pem())).await.unwrap_err();
    assert!(unencrypted.to_string().contains("sslmode=disable"), "{unencrypted}");
    open(&url_of_plain, None).await.unwrap();
    let system = open(&url, None).await.unwrap_err();
    assert!(system.to_string().contains("--store-ca"), "{system}");
}

#[tokio::test]
async fn a_postgres_with_another_certificate_gets_nothing() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for postgres in [ours.postgres("db.example"), theirs.postgres("127.0.0.1")] {
        let (url, terms) = (postgres.url_over_tcp("postgres"), stores::terms(Rules::default()));
        let refused = PostgresStore::open(&url, Some(ours.pem().as_bytes()), terms).await;
        assert!(matches!(refused, Err(StoreError::Postgres(_))), "{refused:?}");
    }
}

#[test]
fn the_program_is_told_whom_to_trust() {
    let ours = Authority::new();
    let redis = ours.redis("127.0.0.1");
    let (file, url) = (ours.file().display().to_string(), redis.url());
    let arguments = ["--store", &url, "--store-ca", &file, "--user", "ann:secret"];
    let server = Server::start(&arguments);
    let first = server.login()["refresh_token"].as_str().unwrap().to_owned();
    drop(server);
    let server = Server::start(&arguments);
    assert!(server.refresh(&first, "a-random-rotation-key").is_some());
}

#[tokio::test]
async fn published_keys_come_from_an_issuer_of_a_trusted_authority() {
    let world = World::new().await;
    let access = world.login("ann").await.access;
    let keys = world.state.issuer.keys.jwks(NOON_SECONDS).to_string();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let trusting = |authority: &Authority| HttpFetch::trusting(authority.pem().as_bytes()).unwrap();
    for (name, fetch, found) in [
        ("localhost", trusting(&ours), true),
        ("localhost", trusting(&theirs), false),
        ("localhost", HttpFetch::new(), false),
        ("issuer.example", trusting(&ours), false),
    ] {
        let url = ours.publish(name, keys.clone()).await;
        let keys = RemoteKeys::fetched_with(&url, Arc::new(fetch)).unwrap();
        let issuer = "http://127.0.0.1:8080";
        let verified = Verifier::new(issuer, issuer, keys).verify(&access, NOON).await;
        match verified {
            Ok(verified) => assert!(found && !verified.subject().is_empty(), "{name}"),
            Err(flaw) => assert_eq!((found, flaw), (false, Flaw::Key), "{name}"),
        }
    }
    assert!(HttpFetch::trusting(b"not a certificate").is_err());
}

/// A certificate authority of the test's own.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: Folder,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: Folder::new() };
        std::fs::write(authority.file(), authority.pem()).unwrap();
        authority
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn file(&self) -> PathBuf {
        self.folder.0.join("authority.pem")
    }

    fn certify(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A Redis that shows a certificate for this name.
    fn redis(&self, name: &str) -> Redis {
        let (certificate, key) = self.certify(name);
        let [certificate_file, key_file] =
            ["certificate", "key"].map(|kind| self.folder.0.join(format!("{name}.{kind}.pem")));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        Redis::start_over_tls(&certificate_file, &key_file)
    }

    /// A Postgres that shows a certificate for this name.
    fn postgres(&self, name: &str) -> Postgres {
        let (certificate, key) = self.certify(name);
        Postgres::start_over_tcp(Some((&certificate.pem(), &key.serialize_pem())))
    }

    fn store(&self, redis: &Redis) -> Arc<dyn Store> {
        let terms = stores::terms(Rules::default());
        Arc::new(RedisStore::trusting(&redis.url(), self.pem().as_bytes(), terms).unwrap())
    }

    /// Serves a document to one visitor, with a certificate for this name; answers with its URL.
    async fn publish(&self, name: &str, document: String) -> String {
        let (certificate, key) = self.certify(name);
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            // Who does not trust us hangs up in the middle.
            let accepted = TlsAcceptor::from(Arc::new(config)).accept(socket).await;
            let Ok(mut stream) = accepted else { return };
            let mut request = [0; 1_024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /jwks HTTP/1.1\r\n"));
            let length = document.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all((head + &document).as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        format!("https://localhost:{port}/jwks")
    }
}
