//! What a table or figure of trained networks runs, as `repro/*.toml` says it.

use std::path::Path;

use serde::Deserialize;

use crate::repro::ReproError;
use crate::sweep::{Plan, Strategy, SweepFile};

/// The names of the paper's tables and figures of trained networks.
pub const EVALUATIONS: [&str; 9] =
    ["table5", "table6", "table7", "table8", "fig2b", "fig2c", "fig3", "fig4", "fig5"];

/// How much of the paper's experiment is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A part with shorter training that still shows the effect.
    Quick,
    /// All of it, as far as it is known.
    Paper,
}

impl Profile {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Paper => "paper",
        }
    }
}

/// One table or figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// What it shows.
    pub title: String,
    /// The conventions of its numbers.
    pub caption: String,
    /// The number of a fit that is compared, if large is good.
    pub maximize: Option<String>,
    /// The number of a fit that is compared, if small is good.
    pub minimize: Option<String>,
    /// What it is multiplied by to be in the paper's unit.
    #[serde(default = "one")]
    pub factor: f64,
    /// What the horizontal axis of a figure shows, where rows are points of curves.
    #[serde(default)]
    pub x_label: String,
    /// Settings of all rows.
    #[serde(default)]
    settings: toml::Table,
    /// The short way.
    quick: ProfilePlan,
    /// The paper's way.
    paper: ProfilePlan,
    /// Rows of a table.
    #[serde(default, rename = "row")]
    pub rows: Vec<RowCase>,
    /// Maps of a figure.
    #[serde(default, rename = "map")]
    pub maps: Vec<MapCase>,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilePlan {
    /// What it runs, in words.
    note: String,
    #[serde(default)]
    strategy: Strategy,
    #[serde(default)]
    settings: toml::Table,
}

/// A method with the paper's result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCase {
    /// What the paper calls it.
    pub name: String,
    /// The paper's mean, as printed.
    pub paper: Option<String>,
    /// The paper's standard deviation, as printed.
    pub paper_sd: Option<String>,
    /// The row that it is compared with; the paper's numbers say which is better, where there are none
    /// this row is meant to be.
    pub than: Option<String>,
    /// The curve of a figure that it is a point of.
    pub series: Option<String>,
    /// Where on that curve.
    pub x: Option<f64>,
    /// Where ours is not as the paper's: what was measured about it.
    pub differs: Option<String>,
    /// Settings; several values are searched and the best is reported.
    #[serde(default)]
    settings: toml::Table,
    /// Those of the quick profile.
    #[serde(default)]
    quick: toml::Table,
    /// Those of the paper's profile.
    #[serde(default)]
    full: toml::Table,
}

/// Scores over the activation's parameter and σ_p.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapCase {
    /// What it is called.
    pub name: String,
    /// The ratio of parameter to σ_p along the paper's ridge, as printed.
    pub ratio: Option<String>,
    /// Where ours is not as the paper's: what was measured about it.
    pub differs: Option<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    quick: toml::Table,
    #[serde(default)]
    full: toml::Table,
}

impl Evaluation {
    /// The table or figure of this name.
    ///
    /// # Errors
    /// None has this name; its file is damaged.
    pub fn named(name: &str) -> Result<Self, ReproError> {
        let text = match name {
            "table5" => include_str!("../../../repro/table5.toml"),
            "table6" => include_str!("../../../repro/table6.toml"),
            "table7" => include_str!("../../../repro/table7.toml"),
            "table8" => include_str!("../../../repro/table8.toml"),
            "fig2b" => include_str!("../../../repro/fig2b.toml"),
            "fig2c" => include_str!("../../../repro/fig2c.toml"),
            "fig3" => include_str!("../../../repro/fig3.toml"),
            "fig4" => include_str!("../../../repro/fig4.toml"),
            "fig5" => include_str!("../../../repro/fig5.toml"),
            _ => return Err(ReproError::Unknown(name.into())),
        };
        toml::from_str(text)
            .map_err(|error| ReproError::File { name: name.into(), reason: error.to_string() })
    }

    /// What a profile runs, in words.
    pub fn note(&self, profile: Profile) -> &str {
        &self.profile(profile).note
    }

    fn profile(&self, profile: Profile) -> &ProfilePlan {
        match profile {
            Profile::Quick => &self.quick,
            Profile::Paper => &self.paper,
        }
    }

    /// The sweep that a profile runs on the files in `data`: a case for each row, in their
    /// order, and one for each map.
    ///
    /// # Errors
    /// Files that are missing, a damaged experiment.
    pub fn plan(&self, profile: Profile, data: &Path) -> Result<Plan, ReproError> {
        let own = self.profile(profile);
        let pick = |quick: &toml::Table, full: &toml::Table| match profile {
            Profile::Quick => quick.clone(),
            Profile::Paper => full.clone(),
        };
        let case = |name: &str, settings: &toml::Table, further: toml::Table| {
            let mut settings = settings.clone();
            settings.extend(further);
            crate::sweep::CaseFile { name: name.into(), settings }
        };
        let rows = self.rows.iter();
        let rows = rows.map(|row| case(&row.name, &row.settings, pick(&row.quick, &row.full)));
        let maps = self.maps.iter();
        let maps = maps.map(|map| case(&map.name, &map.settings, pick(&map.quick, &map.full)));
        let mut settings = self.settings.clone();
        settings.extend(own.settings.clone());
        let file = SweepFile {
            title: self.title.clone(),
            maximize: self.maximize.clone(),
            minimize: self.minimize.clone(),
            strategy: own.strategy.clone(),
            settings,
            cases: rows.chain(maps).collect(),
        };
        Ok(Plan::new(&file, data)?)
    }
}
