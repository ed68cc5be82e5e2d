//! Presets of terms from publications.

use vi3nr_engine::WeightedTerm;

/// The terms of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermPreset {
    /// The name in requests.
    pub name: &'static str,
    /// The terms with their weights, as text.
    terms: &'static [&'static str],
    /// The publication, and what differs from it.
    pub source: &'static str,
}

impl TermPreset {
    /// All presets.
    pub const ALL: &'static [Self] = &[
        Self {
            name: "siren",
            terms: &["value:3000,power=1", "normal:100", "eikonal:50,power=1", "off-surface:100"],
            source: "Sitzmann et al. 2020, Eq. (6), with the weights of their code. Their code \
                     divides every term by the number of all points, of which half are on the \
                     surface; the eikonal term therefore has half the weight here, relative to the \
                     others",
        },
        Self {
            name: "igr",
            terms: &["value:1,power=1", "gradient:1,power=1", "eikonal:0.1"],
            source: "Gropp et al. 2020, Eq. (2), with tau = 1 and lambda = 0.1",
        },
        Self {
            name: "sald",
            terms: &["value:1,power=1,signed=false", "gradient:0.1,power=1,signed=false"],
            source: "Atzmon and Lipman 2021, Eq. (6), with lambda = 0.1. The configuration of their \
                     code for D-FAUST has a weight of 1",
        },
        Self {
            name: "hotspot",
            terms: &["value:350,power=1", "eikonal:1,power=1", "heat:20"],
            source: "Wang et al. 2025 (arXiv 2411.14628), with the weights of their code for 3D, \
                     whose lambda rises from 4 to 30 during training",
        },
    ];

    /// The preset called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.name == name)
    }

    /// The terms with their weights.
    pub fn terms(&self) -> Vec<WeightedTerm> {
        // A test parses every text.
        self.terms.iter().filter_map(|text| text.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_list_of_terms() {
        for preset in TermPreset::ALL {
            let texts: Vec<String> = preset.terms().iter().map(ToString::to_string).collect();
            assert_eq!(texts, preset.terms, "{}", preset.name);
            assert_eq!(TermPreset::named(preset.name), Some(*preset));
            assert!(preset.name.parse::<WeightedTerm>().is_err(), "a term has this name");
        }
        assert_eq!(TermPreset::named("sine"), None);
    }
}
