use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

/// The counters, as Prometheus reads them.
async fn metrics(State(app): State<AppState>) -> Response {
    let counted = app.stats.counted();
    let mut text = String::new();
    let requests = "Requests by method, route and status.";
    family(&mut text, "everfresh_requests_total", requests);
    for (response, count) in &counted.responses {
        let mut words = response.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, route, status) = (word(), word(), word());
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        let _ = writeln!(text, "everfresh_requests_total{{{labels}}} {count}");
    }
    refreshes(&mut text, &counted.refreshes);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn refreshes(text: &mut String, counts: &BTreeMap<String, u64>) {
    family(text, "everfresh_refreshes_total", "Refreshes by the rule that decided them.");
    for (rule, count) in counts {
        let _ = writeln!(text, "everfresh_refreshes_total{{rule=\"{rule}\"}} {count}");
    }
}

fn family(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
}
