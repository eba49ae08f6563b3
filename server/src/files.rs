//! The files of `--serve`: those of the folder that are meant to be seen, and no others.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::HandlerWithoutStateExt as _;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use crate::config::{Settings, StoreKind};
use crate::error::ApiError;

/// Serves a folder, except what begins with a dot, what a link leads to outside of it, and what
/// belongs to the server itself.
pub(crate) fn router(folder: &Path, settings: &Settings) -> Router {
    let files = ServeDir::new(folder)
        .call_fallback_on_method_not_allowed(true)
        .fallback(ApiError::not_found.into_service());
    let seen = Arc::new(Seen::of(folder, settings));
    Router::new().fallback_service(files).layer(from_fn_with_state(seen, only_seen))
}

async fn only_seen(State(seen): State<Arc<Seen>>, request: Request, next: Next) -> Response {
    if seen.shows(request.uri().path()).await {
        next.run(request).await
    } else {
        ApiError::NotFound.into_response()
    }
}

/// What may be seen.
#[derive(Debug)]
struct Seen {
    root: PathBuf,
    /// The server's own, each with all that is in it.
    private: Vec<PathBuf>,
}

impl Seen {
    fn of(folder: &Path, settings: &Settings) -> Self {
        let database = match &settings.store {
            StoreKind::Sqlite(path) => Some(path),
            _ => None,
        };
        let own = [&settings.data].into_iter().chain(database).chain(&settings.seal_key_file);
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        Self {
            root: real(&folder.to_owned()),
            private: own.chain(&settings.private).map(real).collect(),
        }
    }

    /// Whether a path leads to something that may be seen, or to nothing.
    async fn shows(&self, path: &str) -> bool {
        let Ok(path) = percent_decode_str(path).decode_utf8() else { return false };
        let path = self.root.join(path.trim_start_matches('/'));
        // Of a folder its index is shown.
        self.shows_file(&path).await && self.shows_file(&path.join("index.html")).await
    }

    async fn shows_file(&self, path: &Path) -> bool {
        if path.strip_prefix(&self.root).is_ok_and(is_hidden) {
            return false;
        }
        // What is not there can be looked for.
        let Ok(real) = tokio::fs::canonicalize(path).await else { return true };
        let inside = real.strip_prefix(&self.root).is_ok_and(|inside| !is_hidden(inside));
        inside && !self.private.iter().any(|private| belongs(&real, private))
    }
}

/// Whether a part of the path begins with a dot. One folder of that kind is made to be seen.
fn is_hidden(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => {
            name.as_encoded_bytes().starts_with(b".") && name != OsStr::new(".well-known")
        }
        _ => true,
    })
}

/// SQLite keeps files beside its own, with its name, a hyphen and a word more.
fn belongs(file: &Path, private: &Path) -> bool {
    let beside = || {
        let name = file.file_name()?.as_encoded_bytes();
        let more = name.strip_prefix(private.file_name()?.as_encoded_bytes())?;
        Some(more.starts_with(b"-") && file.parent() == private.parent())
    };
    file.starts_with(private) || beside() == Some(true)
}
