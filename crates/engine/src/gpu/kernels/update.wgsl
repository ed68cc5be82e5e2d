// The state of a run of steps for each network, the constants of Adam, and the rates and losses of steps.
struct State {
  best: f32,       // the smallest loss so far
  goal: f32,       // the loss at which the run ends
  stopped: u32,    // 0 no, 1 at the goal, 2 the loss is not finite
  improved: u32,   // whether the loss of this step is the smallest so far
}
struct Control {
  beta1: f32,
  rest1: f32,      // 1 - beta1
  beta2: f32,
  rest2: f32,
  epsilon: f32,
  slots: u32,
  steps: u32,      // the largest number of steps of a run
  padding: u32,
  numbers: array<f32>,
}
// In `numbers`: for each slot its state; for each step and slot the step size and the root correction;
// for each step and slot the loss.
fn state_at(slot: u32) -> u32 { return 4u * slot; }
fn rates_at(step: u32, slot: u32) -> u32 {
  return 4u * control.slots + 2u * (step * control.slots + slot);
}
fn loss_at(step: u32, slot: u32) -> u32 {
  return 4u * control.slots + 2u * control.steps * control.slots + step * control.slots + slot;
}
