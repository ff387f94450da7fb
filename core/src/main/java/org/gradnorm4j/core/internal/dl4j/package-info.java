/**
 * How a Deeplearning4j network is measured: everything that is put into one, and taken out again.
 *
 * <p>For core alone: whatever is public here may change or go in any release.
 *
 * <h2>The path of one minibatch</h2>
 *
 * <ol>
 *   <li>The forward pass reaches the first shared layer. A {@code LayerTapVertex} stands in its
 *       place and opens the {@code TrainingStep}: the loss weights of this step are now fixed.
 *   <li>Each output layer asks its loss for the gradient. A {@code WeightedLoss} stands in front of
 *       the user's loss and scales that gradient by &lambda;<sub>i</sub>; scores stay raw.
 *   <li>The heads backpropagate once, into the {@code SharedZone}: the shared layers, and what lies
 *       between them and the points where the tasks part. At each of its vertices an {@code
 *       EpsilonTap} keeps what arrives apart by task.
 *   <li>A shared layer is measured there by its {@code NormKernel}, or by a {@code Replay} of its
 *       own backward pass for each task; a kernel may do the layer's real backward pass as well. A
 *       vertex with more of the zone below it is replayed too, for what each task sends on. Then
 *       the sum, in DL4J's own order, goes through the vertex' one real backward pass.
 *   <li>DL4J computes the scores; each {@code WeightedLoss} notes its own. With the last one the
 *       step is over, and the measurement goes to the listener.
 * </ol>
 *
 * <p>A MultiLayerNetwork has no vertices to stand in for: there the {@code WeightedLoss}, when
 * asked for the gradient, replays the layers above W, term by term ({@code NetworkAttachment}).
 * Terms of one output part inside its loss, which then sends them back one at a time ({@code
 * TrainingStep.replayOnly}).
 *
 * <p>{@code MeasuredNetwork} is one network with all of this in it: it says where a step begins and
 * ends, and takes everything out again. A {@code GradientNormProbe} has one; training by a
 * ParallelWrapper ({@code ParallelTraining}) adds one for every worker's copy.
 *
 * <p>{@code TaskGraph} reads the graph as tasks, {@code SharedLayers} finds and checks W; both work
 * at attach only.
 */
package org.gradnorm4j.core.internal.dl4j;
