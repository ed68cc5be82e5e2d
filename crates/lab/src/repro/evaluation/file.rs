//! The experiment of a table or figure of trained networks, from `repro/*.toml`.

use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::crossing::{Crossing, Place};
use crate::repro::ReproError;
use crate::sweep::{Plan, Strategy, SweepFile};

/// The names of the paper's tables and figures of trained networks.
pub const EVALUATIONS: [&str; 9] =
    ["table5", "table6", "table7", "table8", "fig2b", "fig2c", "fig3", "fig4", "fig5"];

/// The names of tables of trained networks that are not in the paper.
pub const FURTHER: [&str; 1] = ["schemes"];

/// The part of the paper's experiment that is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A part with shorter training that still shows the effect.
    Quick,
    /// The smallest part at which the effects have the sizes of the paper's.
    Medium,
    /// All of it, as far as the paper describes it.
    Paper,
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == text);
        found.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl Profile {
    /// All profiles, in increasing order of their work.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Medium, Self::Paper];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Medium => "medium",
            Self::Paper => "paper",
        }
    }
}

/// A table or figure of trained networks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The title.
    pub title: String,
    /// The conventions of its numbers.
    pub caption: String,
    /// The number of a fit's report that is compared, if larger is better.
    pub maximize: Option<String>,
    /// The number of a fit's report that is compared, if smaller is better.
    pub minimize: Option<String>,
    /// The factor that converts this number to the paper's unit.
    #[serde(default = "one")]
    pub factor: f64,
    /// The number of runs behind the paper's standard deviations.
    pub paper_count: Option<u32>,
    /// The label of the horizontal axis of a figure whose rows are points of curves.
    #[serde(default)]
    pub x_label: String,
    /// Settings that all rows share.
    #[serde(default)]
    settings: toml::Table,
    /// The quick profile.
    quick: ProfilePlan,
    /// The medium profile.
    medium: ProfilePlan,
    /// The paper's profile.
    paper: ProfilePlan,
    /// Rows of a table.
    #[serde(default, rename = "row")]
    pub rows: Vec<RowCase>,
    /// Maps of a figure.
    #[serde(default, rename = "map")]
    pub maps: Vec<MapCase>,
    /// A table whose cells are further rows.
    crossing: Option<Crossing>,
}

fn one() -> f64 {
    1.0
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilePlan {
    /// A description of what is run.
    note: String,
    #[serde(default)]
    strategy: Strategy,
    #[serde(default)]
    settings: toml::Table,
}

/// A method with the paper's result.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCase {
    /// The name.
    pub name: String,
    /// The paper's mean as printed.
    pub paper: Option<String>,
    /// The paper's standard deviation as printed.
    pub paper_sd: Option<String>,
    /// The row with which this row is compared. The paper's numbers say which of the two is better;
    /// without numbers, this row is expected to be.
    pub than: Option<String>,
    /// The curve of a figure to which the row belongs.
    pub series: Option<String>,
    /// The position on the horizontal axis.
    pub x: Option<f64>,
    /// The measured explanation if our result differs from the paper's.
    pub differs: Option<String>,
    /// The number of a fit's report that is shown, if it is not the one that is compared.
    pub shown: Option<String>,
    /// The cell of the table, if the row is one of a crossing.
    pub(super) place: Option<Place>,
    /// Settings. Several values are searched, and the best is reported.
    #[serde(default)]
    pub(super) settings: toml::Table,
    /// Settings of the quick profile.
    #[serde(default)]
    pub(super) quick: toml::Table,
    /// Settings of the medium profile, if they are not those of the quick one.
    pub(super) medium: Option<toml::Table>,
    /// Settings of the paper's profile.
    #[serde(default)]
    pub(super) full: toml::Table,
}

/// Scores over the activation's parameter and σ_p.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapCase {
    /// The name.
    pub name: String,
    /// The ratio of the parameter to σ_p along the paper's ridge as printed.
    pub ratio: Option<String>,
    /// The measured explanation if our result differs from the paper's.
    pub differs: Option<String>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    quick: toml::Table,
    medium: Option<toml::Table>,
    #[serde(default)]
    full: toml::Table,
}

impl Evaluation {
    /// The table or figure with this name.
    ///
    /// # Errors
    /// Returns [`ReproError::Unknown`] if there is none, and [`ReproError::File`] if its file is
    /// invalid.
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
            "schemes" => include_str!("../../../repro/schemes.toml"),
            _ => return Err(ReproError::Unknown(name.into())),
        };
        let mut own: Self = toml::from_str(text)
            .map_err(|error| ReproError::File { name: name.into(), reason: error.to_string() })?;
        if let Some(crossing) = &own.crossing {
            own.rows.extend(crossing.rows(name)?);
        }
        Ok(own)
    }

    /// A description of what a profile runs.
    pub fn note(&self, profile: Profile) -> &str {
        &self.profile(profile).note
    }

    fn profile(&self, profile: Profile) -> &ProfilePlan {
        match profile {
            Profile::Quick => &self.quick,
            Profile::Medium => &self.medium,
            Profile::Paper => &self.paper,
        }
    }

    /// The plan of a profile for the files in `data`: a case for each row, in order, and one for
    /// each map.
    ///
    /// # Errors
    /// Returns [`ReproError::Sweep`] if files are missing or the experiment is invalid.
    pub fn plan(&self, profile: Profile, data: &Path) -> Result<Plan, ReproError> {
        let own = self.profile(profile);
        let pick =
            |quick: &toml::Table, medium: &Option<toml::Table>, full: &toml::Table| match profile {
                Profile::Quick => quick.clone(),
                Profile::Medium => medium.as_ref().unwrap_or(quick).clone(),
                Profile::Paper => full.clone(),
            };
        let case = |name: &str, settings: &toml::Table, further: toml::Table| {
            let mut settings = settings.clone();
            settings.extend(further);
            crate::sweep::CaseFile { name: name.into(), settings }
        };
        let rows = self.rows.iter();
        let rows = rows
            .map(|row| case(&row.name, &row.settings, pick(&row.quick, &row.medium, &row.full)));
        let maps = self.maps.iter();
        let maps = maps
            .map(|map| case(&map.name, &map.settings, pick(&map.quick, &map.medium, &map.full)));
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
