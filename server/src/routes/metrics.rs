use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::error::ApiError;
use crate::state::AppState;
use crate::store::MarkKind;

/// The counters, as Prometheus reads them.
pub(super) async fn metrics(State(app): State<AppState>) -> Result<Response, ApiError> {
    let denied = app.store.notes(MarkKind::Denied, app.clock.now()).await?;
    let mut kept_elsewhere = Registry::default();
    let lost = ConstCounter::new(app.audit.lost());
    let help = "Audit entries that could not be written in time";
    kept_elsewhere.register("everfresh_audit_lost", help, lost);
    let help = "Access tokens on the deny list that have not expired";
    kept_elsewhere.register("everfresh_denied_tokens", help, ConstGauge::new(denied));
    let mut text = String::new();
    let written = app.stats.encode(&mut text);
    written
        .and_then(|()| prometheus_text::encode(&mut text, &kept_elsewhere))
        .map_err(|_| ApiError::Internal)?;
    Ok(([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}
