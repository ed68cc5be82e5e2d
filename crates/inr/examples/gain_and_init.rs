//! The initialization theory: gain, σ_p and the initial weights of a network.
//!
//! ```sh
//! cargo run --release -p vi3nr-inr --example gain_and_init -- 'gaussian:sigma=0.05'
//! ```
//!
//! The argument is the name of an activation or a formula in x; the default is `tanh`.

use std::error::Error;

use vi3nr::{Activation, InitRule, Network, Scheme};

fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "tanh".into());
    let activation: Activation = text.parse()?;

    // The gain for two standard deviations of the preactivations, Eq. (15).
    for sigma_p in [0.1, 1.0] {
        match vi3nr::gain_squared(&activation, sigma_p) {
            Ok(gain_squared) => println!("σ_p = {sigma_p}: gain² = {gain_squared:.6}"),
            Err(error) => println!("σ_p = {sigma_p}: {error}"),
        }
    }

    // The σ_p at which gradients keep their variance too, Eq. (13), or the σ_p that comes closest.
    let sigma_p = vi3nr::auto_sigma_p(&activation)?;
    println!("σ_p chosen for {activation}: {sigma_p:.6}");

    // The distribution of the weights of each layer of a network from pixel coordinates to RGB
    // values.
    let network = Network::uniform(2, 128, 4, 3, activation)?;
    let rule = InitRule::new(Scheme::ours(sigma_p));
    let layers = rule.plan(&network)?;

    // The initial weights: for each layer the weights, shape (fan-out, fan-in), then the biases.
    // The same seed gives the same numbers on every machine.
    let parameters = vi3nr::draw(&network, &layers, 0);
    for layer in network.layers() {
        let weights = &parameters[layer.weights];
        let squares = weights.iter().map(|weight| f64::from(*weight).powi(2));
        let variance = squares.sum::<f64>() / weights.len() as f64;
        let (fan_in, fan_out) = (layer.fan_in, layer.fan_out);
        println!("layer {}: {fan_in} to {fan_out}, variance {variance:.3e}", layer.index);
    }
    Ok(())
}
