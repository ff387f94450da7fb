/**
 * Measures the gradient norm of every task of a multi-output {@link
 * org.deeplearning4j.nn.graph.ComputationGraph ComputationGraph} on its last shared layer, during
 * ordinary training.
 *
 * <p>{@link org.gradnorm4j.core.GradientNormProbe} is the way in, {@link
 * org.gradnorm4j.core.StepMeasurement} is what comes out. The package knows nothing of GradNorm: it
 * measures and applies loss weights, and leaves choosing them to others.
 *
 * <h2>The path of one minibatch</h2>
 *
 * <ol>
 *   <li>The forward pass reaches {@code TapVertex}, which stands in the place of the shared layer's
 *       vertex and opens the {@code TrainingStep}: the loss weights of this step are now fixed.
 *   <li>Each output layer asks its loss for the gradient. A {@code WeightedLoss} stands in front of
 *       the user's loss and scales that gradient by &lambda;<sub>i</sub>; scores stay raw.
 *   <li>The heads backpropagate once. {@code TapVertex} keeps what each head sends it apart, hands
 *       the parts to a {@code NormKernel}, adds them up in DL4J's own order and lets the layer
 *       backpropagate once.
 *   <li>DL4J computes the scores; each {@code WeightedLoss} notes its own.
 *   <li>DL4J clears the vertices: the step is over, the measurement goes to the listener.
 * </ol>
 */
package org.gradnorm4j.core;
