use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::error::ApiError;
use crate::rotation::Transition;
use crate::state::AppState;
use crate::stats::{Counted, Histogram};
use crate::store::MarkKind;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

/// The counters, as Prometheus reads them.
async fn metrics(State(app): State<AppState>) -> Result<Response, ApiError> {
    let counted = app.stats.counted();
    let mut text = String::new();
    let requests = "Requests by method, route and status.";
    family(&mut text, "everfresh_requests_total", "counter", requests);
    for (response, count) in &counted.responses {
        let mut words = response.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, route, status) = (word(), word(), word());
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        let _ = writeln!(text, "everfresh_requests_total{{{labels}}} {count}");
    }
    refreshes(&mut text, &counted.refreshes);
    latencies(&mut text, &counted);
    family(
        &mut text,
        "everfresh_store_errors_total",
        "counter",
        "Steps that the store could not do.",
    );
    for (step, count) in &counted.failures {
        let _ = writeln!(text, "everfresh_store_errors_total{{step=\"{step}\"}} {count}");
    }
    let lost = "Audit entries that could not be written in time.";
    family(&mut text, "everfresh_audit_lost_total", "counter", lost);
    let _ = writeln!(text, "everfresh_audit_lost_total {}", app.audit.lost());
    let denied = app.store.notes(MarkKind::Denied, app.clock.now()).await?;
    let help = "Access tokens on the deny list that have not expired.";
    family(&mut text, "everfresh_denied_tokens", "gauge", help);
    let _ = writeln!(text, "everfresh_denied_tokens {denied}");
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn refreshes(text: &mut String, counts: &BTreeMap<Transition, u64>) {
    let help = "Refreshes by the rule that decided them.";
    family(text, "everfresh_refreshes_total", "counter", help);
    for (rule, count) in counts {
        let _ = writeln!(text, "everfresh_refreshes_total{{rule=\"{}\"}} {count}", rule.name());
    }
}

fn latencies(text: &mut String, counted: &Counted) {
    let name = "everfresh_request_duration_seconds";
    family(text, name, "histogram", "How long answers took, by method and route.");
    for (route, latency) in &counted.latencies {
        let (method, route) = route.split_once(' ').unwrap_or_default();
        histogram(text, name, &format!("method=\"{method}\",route=\"{route}\""), latency);
    }
    let name = "everfresh_store_duration_seconds";
    family(text, name, "histogram", "How long the store took, by step.");
    for (step, latency) in &counted.steps {
        histogram(text, name, &format!("step=\"{step}\""), latency);
    }
}

fn histogram(text: &mut String, name: &str, labels: &str, histogram: &Histogram) {
    for (bound, count) in histogram.cumulated() {
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    let (count, sum) = (histogram.count, histogram.sum.as_secs_f64());
    let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
    let _ = writeln!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
