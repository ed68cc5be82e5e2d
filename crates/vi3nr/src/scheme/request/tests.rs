use super::*;

/// (scheme, activation, sigma_p, last sigma_p).
type Case = (&'static str, &'static str, &'static str, Option<f64>);

fn resolve(case: Case) -> Result<ChosenScheme, SchemeRefusal> {
    resolve_with_first(case, None)
}

fn resolve_with_first(
    (scheme, activation, sigma_p, last_sigma_p): Case,
    first: Option<&str>,
) -> Result<ChosenScheme, SchemeRefusal> {
    let sigma_p = (!sigma_p.is_empty()).then(|| sigma_p.parse().unwrap());
    let first_sigma_p = first.map(|first| first.parse().unwrap());
    let sigmas = SigmaRequests { sigma_p, first_sigma_p, last_sigma_p };
    let request: SchemeRequest = scheme.parse().unwrap();
    request.resolve(&activation.parse().unwrap(), &sigmas, 2.0)
}

#[test]
fn requests_are_read_as_they_are_written() {
    for (text, request) in [
        ("auto", SchemeRequest::Auto),
        ("ours", SchemeRequest::VarianceInformed),
        ("ours_mc", SchemeRequest::MonteCarlo),
        ("backward", SchemeRequest::Backward),
        ("eoc", SchemeRequest::EdgeOfChaos),
        ("eoc:sigma_p=2", SchemeRequest::Given("eoc:sigma_p=2".parse().unwrap())),
        ("siren", SchemeRequest::Siren),
        ("ws", SchemeRequest::WeightScaling { alpha: None }),
        ("ws:alpha=2", SchemeRequest::WeightScaling { alpha: Some(2.0) }),
        ("winner", SchemeRequest::Winner { noise: None }),
        ("winner:s0=0.5,s1=0", SchemeRequest::Winner { noise: Some([0.5, 0.0]) }),
        ("finer", SchemeRequest::Finer { k: None }),
        ("finer:k=20", SchemeRequest::Finer { k: Some(20.0) }),
        ("finer:omega=30,k=1", SchemeRequest::Given(Scheme::Finer { omega: 30.0, k: 1.0 })),
        ("siren:omega=30", SchemeRequest::Given(Scheme::Siren { omega: 30.0 })),
        ("xavier", SchemeRequest::Given(Scheme::Xavier)),
        ("normal:std=0.1", SchemeRequest::Given(Scheme::Normal { std: 0.1 })),
    ] {
        assert_eq!(text.parse(), Ok(request));
        assert_eq!(request.to_string(), text);
    }
    assert_eq!("vi3nr".parse(), Ok(SchemeRequest::VarianceInformed));
    assert_eq!("vi3nr-mc".parse(), Ok(SchemeRequest::MonteCarlo));
    assert!(matches!("he".parse::<SchemeRequest>(), Err(Error::UnknownScheme { .. })));
    assert!("normal".parse::<SchemeRequest>().is_err());
    assert!(" ours".parse::<SchemeRequest>().is_err());
}

#[test]
fn requests_resolve_to_schemes() {
    let root = crate::auto_sigma_p(&Activation::gaussian(0.1).unwrap()).unwrap();
    let doubled = format!("ours:sigma_p={}", 2.0 * root);
    let automatic = format!("ours:sigma_p={root}");
    let last = format!("ours:sigma_p={},last_sigma_p=0.3", 2.0 * root);
    let multiple = SigmaReason::TimesSmallestRoot { factor: 2.0, root };
    let half = SigmaReason::TimesSmallestRoot { factor: 0.5, root };
    let halved = format!("ours:sigma_p={}", 0.5 * root);
    let sampled = format!("ours_mc:sigma_p={},samples=1000000", 2.0 * root);
    let gaussian = "gaussian:sigma=0.1";
    let chaos = format!("eoc:sigma_p={}", 2.0 * root);
    let given = Some(SigmaReason::Given);
    let cases: [(Case, &str, Option<SigmaReason>); 28] = [
        (("winner:s0=2,s1=1", "sine:omega=5", "", None), "winner:omega=5,s0=2,s1=1", None),
        (("winner:omega=3,s0=2,s1=1", "sine", "", None), "winner:omega=3,s0=2,s1=1", None),
        (("ws", "sine:omega=5", "", None), "ws:alpha=2.5,omega=5", None),
        (("ws:alpha=2", "sin(5*x)", "", None), "ws:alpha=2,omega=5", None),
        (("ws:alpha=2,omega=7", "sine:omega=5", "", None), "ws:alpha=2,omega=7", None),
        (("finer:k=20", "finer:omega=9", "", None), "finer:omega=9,k=20", None),
        (("eoc", gaussian, "", None), &chaos, Some(multiple)),
        (("eoc", "tanh", "0.5", None), "eoc:sigma_p=0.5", given),
        (("eoc:sigma_p=0.5", "tanh", "", None), "eoc:sigma_p=0.5", given),
        (("auto", gaussian, "", None), &doubled, Some(multiple)),
        (("ours", gaussian, "", None), &doubled, Some(multiple)),
        (("auto", gaussian, "auto", None), &automatic, Some(SigmaReason::SmallestRoot)),
        (("ours", gaussian, "0.5*auto", None), &halved, Some(half)),
        (("ours", gaussian, "0.15", None), "ours:sigma_p=0.15", given),
        (("auto", gaussian, "", Some(0.3)), &last, Some(multiple)),
        (("ours_mc", gaussian, "", None), &sampled, Some(multiple)),
        (("backward", "tanh", "", None), "backward:sigma_p=1", Some(SigmaReason::NearOne)),
        (("backward", "tanh", "0.3", None), "backward:sigma_p=0.3", given),
        (("auto", "relu", "", None), "ours:sigma_p=1", Some(SigmaReason::EveryValue)),
        (("auto", "tanh", "", None), "ours:sigma_p=1", Some(SigmaReason::NearOne)),
        (("auto", "sine:omega=5", "", None), "siren:omega=5", None),
        (("siren", "sine:omega=5", "", None), "siren:omega=5", None),
        (("auto", "sine:omega=5", "0.3", None), "ours:sigma_p=0.3", given),
        (("siren:omega=7", gaussian, "", None), "siren:omega=7", None),
        (("ours:sigma_p=0.2", gaussian, "", None), "ours:sigma_p=0.2", given),
        (("backward:sigma_p=0.2", gaussian, "", None), "backward:sigma_p=0.2", given),
        (("xavier", "sine", "", None), "xavier", None),
        (("normal:std=0.1", gaussian, "", None), "normal:std=0.1", None),
    ];
    for (case, scheme, reason) in cases {
        let chosen = resolve(case).unwrap();
        assert_eq!(chosen.scheme.to_string(), scheme, "{case:?}");
        assert_eq!(chosen.sigma_p.map(|sigma_p| sigma_p.reason), reason, "{case:?}");
        assert_eq!(chosen.sigma_p.map(|sigma_p| sigma_p.value), chosen.scheme.sigma_p());
    }
}

#[test]
fn the_first_layer_has_a_sigma_p_of_its_own() {
    let auto = crate::auto_sigma_p(&Activation::sine(30.0).unwrap()).unwrap();
    let seven = format!("ours:sigma_p={auto},first_sigma_p={}", 7.0 * auto);
    for (scheme, first, text) in [
        ("auto", "7*auto", seven.as_str()),
        ("ours", "7*auto", &seven),
        ("eoc", "0.25", &format!("eoc:sigma_p={auto},first_sigma_p=0.25")),
    ] {
        let chosen = resolve_with_first((scheme, "sine:omega=30", "", None), Some(first));
        let chosen = chosen.unwrap();
        assert_eq!(chosen.scheme.to_string(), text);
        let own = chosen.first_sigma_p.unwrap();
        assert_eq!(own.reason == SigmaReason::Given, first == "0.25", "{own:?}");
    }
    for scheme in ["ours_mc", "backward", "siren", "ours:sigma_p=1", "xavier"] {
        let case = (scheme, "sine:omega=30", "", None);
        let refusal = resolve_with_first(case, Some("1")).unwrap_err();
        assert_eq!(refusal.field(), Some(SchemeField::FirstSigmaP), "{refusal}");
        assert!(refusal.to_string().contains("it belongs to the scheme ours or eoc"));
    }
}

#[test]
fn arguments_that_do_not_fit_together_are_errors_with_their_field() {
    let bad = Some(f64::NAN);
    let cases: [(Case, SchemeField, &str); 15] = [
        (("winner", "sine", "", None), SchemeField::Scheme, "without a signal"),
        (("winner:s0=1,s1=1", "tanh", "", None), SchemeField::Scheme, "the sine, sin(omega x)"),
        (("ws", "finer", "", None), SchemeField::Scheme, "ws was requested for finer"),
        (("finer", "sine", "", None), SchemeField::Scheme, "sin(omega (|x| + 1) x), only"),
        (("ws:alpha=2", "sine", "1", None), SchemeField::SigmaP, "the scheme ws:alpha=2;"),
        (("eoc", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "with the scheme eoc;"),
        (("siren", "tanh", "", None), SchemeField::Scheme, "siren was requested for tanh"),
        (("siren", "sine", "0.1", None), SchemeField::SigmaP, "with the scheme siren;"),
        (("siren", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "ours, written without"),
        (("xavier", "sine", "auto", None), SchemeField::SigmaP, "with the scheme xavier;"),
        (("ours:sigma_p=1", "sine", "2", None), SchemeField::SigmaP, "scheme ours:sigma_p=1"),
        (("xavier", "sine", "1", Some(1.0)), SchemeField::SigmaP, "ours, ours_mc, backward or"),
        (("ours_mc", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "the scheme ours_mc;"),
        (("ours", "sine", "", Some(0.0)), SchemeField::LastSigmaP, "with the number 0;"),
        (("ours", "sine", "", bad), SchemeField::LastSigmaP, "a finite number above 0"),
    ];
    for (case, field, part) in cases {
        let refusal = resolve(case).unwrap_err();
        assert_eq!(refusal.field(), Some(field), "{case:?}: {refusal}");
        assert!(refusal.to_string().contains(part), "{case:?}: {refusal}");
        assert!(!refusal.to_string().contains("--"), "{refusal}");
    }
    let request = SchemeRequest::VarianceInformed;
    let infinite = Some(SigmaRequest::TimesAuto(f64::INFINITY));
    let infinite = SigmaRequests { sigma_p: infinite, ..SigmaRequests::default() };
    let refusal = request.resolve(&Activation::tanh(), &infinite, 1.0).unwrap_err();
    assert_eq!(refusal.field(), Some(SchemeField::SigmaP));
    let refusal = resolve(("ours", "1/x", "", None)).unwrap_err();
    assert!(matches!(refusal, SchemeRefusal::Theory(Error::Moment { .. })), "{refusal:?}");
    for scheme in ["eoc", "eoc:sigma_p=0.01"] {
        let sigma_p = if scheme == "eoc" { "0.01" } else { "" };
        let refusal = resolve((scheme, "gaussian", sigma_p, None)).unwrap_err();
        assert!(matches!(refusal, SchemeRefusal::Theory(Error::Scheme { .. })), "{refusal:?}");
    }
}
