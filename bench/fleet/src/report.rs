//! The figures as tables for people, and where they go.

use std::fmt::Write;

use serde::Serialize;

use crate::{fleet::Figures, peers::PEERS, scenario::SCENARIOS};

/// All that one run came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The machine that it ran on.
    pub machine: String,
    /// How many clients each fleet has.
    pub clients: u64,
    /// The seed.
    pub seed: u64,
    /// How long all of it took, seconds.
    pub seconds: f64,
    /// One for each scenario and kind of client.
    pub figures: Vec<Figures>,
}

impl Report {
    /// The figures of one scenario.
    pub fn of(&self, scenario: &str) -> impl Iterator<Item = &Figures> {
        self.figures.iter().filter(move |figures| figures.scenario == scenario)
    }

    /// Where another package does better than ours with tokens of the same lifetime.
    #[must_use]
    pub fn better(&self) -> Vec<String> {
        let mut better = Vec::new();
        for scenario in SCENARIOS {
            for ours in self.of(scenario.name).filter(|it| it.clients == "everfresh") {
                let others = self.of(scenario.name).filter(|it| it.clients != "everfresh");
                // Clients that never come back are no load.
                for theirs in others.filter(|it| it.sign_outs == 0) {
                    if theirs.lifetime != ours.lifetime {
                        continue;
                    }
                    let mut say = |what: &str, theirs_is: f64, ours_is: f64| {
                        if theirs_is * 1.05 < ours_is {
                            better.push(format!(
                                "{}: {} {what} {} with {}, {} with Everfresh",
                                scenario.title,
                                theirs.lifetime_text(),
                                plain(theirs_is),
                                theirs.clients,
                                plain(ours_is)
                            ));
                        }
                    };
                    say("a peak of", theirs.peak, ours.peak);
                    say("requests lost:", theirs.lost as f64, ours.lost as f64);
                    if let (Some(theirs), Some(ours)) = (theirs.drained, ours.drained) {
                        say("seconds until drained:", theirs, ours);
                    }
                }
            }
        }
        better
    }

    /// Everything as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} clients a fleet, seed {}, {:.0} s in all on {}.\n\n### What others do better\n",
            self.clients, self.seed, self.seconds, self.machine
        );
        let better = self.better();
        if better.is_empty() {
            out.push_str("- nothing of what is measured here\n");
        }
        for line in better {
            let _ = writeln!(out, "- {line}");
        }
        for scenario in SCENARIOS {
            let _ = writeln!(out, "\n### {}\n\n{HEAD}", capital(scenario.title));
            for figures in self.of(scenario.name) {
                let _ = writeln!(out, "{}", figures.row());
            }
        }
        out.push_str(
            "\n### The rules that were simulated\n\n| package | read in | and |\n|---|---|---|\n",
        );
        for peer in &PEERS {
            let _ = writeln!(out, "| {} | {} | {} |", peer.name, peer.source, peer.note);
        }
        out
    }
}

const HEAD: &str = "| clients | token lives, s | peak / mean | in trouble | half back, s | all back or \
drained, s | requests lost | sign-outs |\n|---|---:|---:|---:|---:|---:|---:|---:|";

impl Figures {
    fn lifetime_text(&self) -> String {
        format!("tokens of {} s:", self.lifetime)
    }

    fn row(&self) -> String {
        let optional = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), plain);
        format!(
            "| {} | {} | {:.2} | {} | {} | {} | {} ({:.2} %) | {} |",
            self.clients,
            self.lifetime,
            self.peak,
            if self.peak_in_trouble > 0.0 {
                format!("{:.2}", self.peak_in_trouble)
            } else {
                "-".to_owned()
            },
            optional(self.half_recovered),
            optional(self.drained),
            self.lost,
            self.lost as f64 * 100.0 / self.requests.max(1) as f64,
            self.sign_outs,
        )
    }
}

fn plain(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// A text with what stands between two marks replaced, or appended with its marks.
#[must_use]
pub fn replace_section(text: &str, name: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: generated -->"), format!("<!-- {name}: end -->"));
    let whole = format!("{begin}\n\n{}\n\n{end}", section.trim());
    let found = text.split_once(&begin).and_then(|(before, rest)| {
        rest.split_once(&end).map(|(_, after)| format!("{before}{whole}{after}"))
    });
    found.unwrap_or_else(|| format!("{}\n\n{whole}\n", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_where_it_stands_and_appended_where_it_does_not() {
        let first = replace_section("# Title\n", "fleet", "one");
        assert_eq!(first, "# Title\n\n<!-- fleet: generated -->\n\none\n\n<!-- fleet: end -->\n");
        let more = format!("{first}\nafter\n");
        assert_eq!(replace_section(&more, "fleet", "two"), more.replace("one", "two"));
    }
}
