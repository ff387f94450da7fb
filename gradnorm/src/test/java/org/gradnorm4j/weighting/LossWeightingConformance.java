package org.gradnorm4j.weighting;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.persist.StateFile;

/**
 * What every {@link LossWeighting} must hold to, whatever its rule: run through inputs that break
 * things, it gives finite weights, leaves its arguments alone, gives the same for the same, keeps
 * the weights of absent tasks, does not look at the order of tasks, and comes back from a file as
 * it was. For the tests of strategies, of this library and of others; needs no test framework.
 *
 * <pre>{@code
 * LossWeightingConformance.of(Mgda.create()).sum(tasks -> 1.0).gradientDegree(0).check();
 * }</pre>
 */
public final class LossWeightingConformance {
  private static final double NO_DEGREE = Double.NaN;

  private final Function<List<String>, LossWeighting<?>> make;
  private boolean random;
  private boolean ownInitialWeights;
  private boolean movesAbsent;
  private IntToDoubleFunction sum;
  private double gradientDegree = NO_DEGREE;

  private LossWeightingConformance(Function<List<String>, LossWeighting<?>> make) {
    this.make = make;
  }

  /**
   * Of a strategy for any tasks.
   *
   * @param weighting registered by a catalog
   * @return checks that are run by {@link #check()}
   */
  public static LossWeightingConformance of(LossWeighting<?> weighting) {
    return new LossWeightingConformance(tasks -> weighting);
  }

  /**
   * Of a strategy whose settings name the tasks.
   *
   * @param make makes it for these tasks
   * @return checks that are run by {@link #check()}
   */
  public static LossWeightingConformance of(Function<List<String>, LossWeighting<?>> make) {
    return new LossWeightingConformance(make);
  }

  /**
   * It draws random numbers: weights do not follow the tasks when their order changes.
   *
   * @return this
   */
  public LossWeightingConformance random() {
    random = true;
    return this;
  }

  /**
   * It does not begin with the weights that the network has configured.
   *
   * @return this
   */
  public LossWeightingConformance ownInitialWeights() {
    ownInitialWeights = true;
    return this;
  }

  /**
   * A task that is absent in a step may get another weight in it: the sum of all is held, or it is
   * an epoch that is decided on.
   *
   * @return this
   */
  public LossWeightingConformance movesAbsent() {
    movesAbsent = true;
    return this;
  }

  /**
   * What the absolute weights add up to in an ordinary step.
   *
   * @param sum by the number of tasks
   * @return this
   */
  public LossWeightingConformance sum(IntToDoubleFunction sum) {
    this.sum = sum;
    return this;
  }

  /**
   * Gradients s times as long, at the same losses, give weights s<sup>k</sup> times as large.
   *
   * @param degree k
   * @return this
   */
  public LossWeightingConformance gradientDegree(double degree) {
    gradientDegree = degree;
    return this;
  }

  /** Throws an AssertionError that names strategy, input and what does not hold. */
  public void check() {
    for (Input input : Input.all()) {
      run(make.apply(input.tasks().names()), input);
    }
    for (int tasks : new int[] {2, 5, 100}) {
      Input ordinary = Input.ordinary(tasks);
      LossWeighting<?> weighting = make.apply(ordinary.tasks().names());
      checkConfigured(weighting, ordinary);
      checkScale(weighting, ordinary);
      if (!random) {
        checkOrder(weighting, ordinary);
      }
    }
  }

  private <S extends Record> void run(LossWeighting<S> weighting, Input input) {
    String where = weighting.name() + ", " + input.name();
    Decision<S> now = weighting.init(input.tasks());
    for (int i = 0; i < 4; i++) { // the same and an ordinary one by turns, over two epochs
      StepMeasurement step = i % 2 == 0 ? input.step(i, i / 2) : input.usual().step(i, i / 2);
      now = decide(weighting, now.state(), now.lossWeights(), step, where + ", step " + i);
    }
    settingsComeBack(weighting, now, input.step(4, 2), where);
  }

  /** One step, with all that must hold of any. A refusal leaves everything as it was. */
  private <S extends Record> Decision<S> decide(
      LossWeighting<S> weighting, S state, double[] weights, StepMeasurement step, String where) {
    byte[] stateBefore = bytes(state);
    double[] given = weights.clone();
    Decision<S> decision;
    try {
      decision = weighting.decide(state, given, step);
    } catch (IllegalStateException refused) {
      require(
          step.taskNames().stream().anyMatch(refused.getMessage()::contains),
          where,
          "refuses a step without naming a task: " + refused.getMessage());
      return Decision.of(state, weights);
    }
    require(Arrays.equals(given, weights), where, "modifies the weights it is given");
    require(Arrays.equals(bytes(state), stateBefore), where, "modifies the state it is given");
    double[] next = decision.lossWeights();
    require(next.length == weights.length, where, "decides on " + next.length + " weights");
    require(
        Arrays.stream(next).allMatch(Double::isFinite),
        where,
        "decides on weights that are not finite: " + Arrays.toString(next));
    boolean[] present = step.present();
    for (int i = 0; i < next.length; i++) {
      require(present[i] || next[i] == weights[i] || movesAbsent, where, "moves an absent task");
    }
    Decision<S> again = weighting.decide(state, given, step);
    require(same(decision, again, weighting), where, "decides otherwise when asked again");
    Decision<S> fromFile = weighting.decide(read(stateBefore, weighting.stateType()), given, step);
    require(same(decision, fromFile, weighting), where, "decides otherwise with a saved state");
    weighting.check(decision.state(), next, step.tasks());
    return decision;
  }

  private static boolean same(Decision<?> a, Decision<?> b, LossWeighting<?> weighting) {
    return Arrays.equals(a.lossWeights(), b.lossWeights())
        && Arrays.equals(bytes((Record) a.state()), bytes((Record) b.state()))
        && a.unusable().equals(b.unusable())
        && weighting.quantities().stream().allMatch(q -> Arrays.equals(a.value(q), b.value(q)));
  }

  private <S extends Record> void settingsComeBack(
      LossWeighting<S> weighting, Decision<S> now, StepMeasurement step, String where) {
    LossWeightings.Format<?> format =
        LossWeightings.format(weighting.id())
            .orElseThrow(() -> new AssertionError(where + ": is in no catalog"));
    @SuppressWarnings("unchecked") // of the same id
    LossWeighting<S> copy = (LossWeighting<S>) create(format, bytes(weighting.settings()));
    require(copy.settings().equals(weighting.settings()), where, "has other settings from a file");
    require(copy.describe().equals(weighting.describe()), where, "is described otherwise");
    Decision<S> expected = decide(weighting, now.state(), now.lossWeights(), step, where);
    Decision<S> actual = decide(copy, now.state(), now.lossWeights(), step, where);
    require(same(expected, actual, weighting), where, "decides otherwise with saved settings");
    Decision<S> adopted = copy.adopt(weighting, now.state(), now.lossWeights(), step.tasks());
    require(
        Arrays.equals(bytes(adopted.state()), bytes(now.state()))
            && Arrays.equals(adopted.lossWeights(), now.lossWeights()),
        where,
        "does not go on with the same settings");
  }

  private static <C extends Record> LossWeighting<?> create(
      LossWeightings.Format<C> format, byte[] settings) {
    return format.create().apply(read(settings, format.settingsType()));
  }

  private <S extends Record> void checkConfigured(LossWeighting<S> weighting, Input input) {
    int size = input.tasks().size();
    double[] configured = new double[size];
    double[] uninformed = new double[size];
    Arrays.setAll(configured, i -> 0.5 + i);
    Arrays.fill(uninformed, 1.0);
    double[] first =
        weighting.init(Tasks.of(input.tasks().names(), configured, uninformed)).lossWeights();
    require(
        ownInitialWeights || Arrays.equals(first, configured),
        weighting.name(),
        "begins with " + Arrays.toString(first) + " where others are configured");
  }

  private <S extends Record> void checkScale(LossWeighting<S> weighting, Input input) {
    String where = weighting.name() + ", " + input.name();
    Decision<S> first = weighting.init(input.tasks());
    double[] weights =
        weighting.decide(first.state(), first.lossWeights(), input.step(0, 0)).lossWeights();
    if (sum != null) {
      double expected = sum.applyAsDouble(weights.length);
      double actual = Arrays.stream(weights).map(Math::abs).sum();
      require(
          Math.abs(actual - expected) <= 1e-9 * expected,
          where,
          "has weights of sum " + actual + " where " + expected + " is stated");
    }
    for (double s : Double.isNaN(gradientDegree) ? new double[0] : new double[] {1e-3, 1e6}) {
      double[] other =
          weighting
              .decide(first.state(), first.lossWeights(), input.times(s).step(0, 0))
              .lossWeights();
      double factor = Math.pow(s, gradientDegree);
      for (int i = 0; i < other.length; i++) {
        require(
            close(other[i], factor * weights[i], factor * largest(weights)),
            where,
            String.format(
                Locale.ROOT,
                "has weight %s with gradients %s times as long, where %s is stated",
                other[i],
                s,
                factor * weights[i]));
      }
    }
  }

  private <S extends Record> void checkOrder(LossWeighting<S> weighting, Input input) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < input.tasks().size(); i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(1));
    Input shuffled = input.inOrder(order);
    Decision<S> now = weighting.init(input.tasks());
    Decision<S> other = weighting.init(shuffled.tasks());
    for (int i = 0; i < 6; i++) {
      now = weighting.decide(now.state(), now.lossWeights(), input.step(i, i / 2));
      other = weighting.decide(other.state(), other.lossWeights(), shuffled.step(i, i / 2));
      for (int k = 0; k < order.size(); k++) {
        double expected = now.lossWeights()[order.get(k)];
        require(
            close(other.lossWeights()[k], expected, largest(now.lossWeights())),
            weighting.name() + ", " + input.name(),
            "has weight " + other.lossWeights()[k] + " for " + expected + " in another order");
      }
    }
  }

  private static boolean close(double actual, double expected, double largest) {
    return Math.abs(actual - expected) <= 1e-9 * largest;
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElse(0.0);
  }

  private static void require(boolean holds, String where, String what) {
    if (!holds) {
      throw new AssertionError(where + ": " + what);
    }
  }

  private static byte[] bytes(Record record) {
    return StateFile.builder().part("part", record).write();
  }

  private static <R extends Record> R read(byte[] file, Class<R> type) {
    try {
      return StateFile.read(new ByteArrayInputStream(file), "memory").part("part", type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Gradients and losses of one step.
   *
   * @param name for messages
   * @param ids by task, its number; names and the fall of its loss go by it
   * @param gradients by task; all of one length
   * @param losses by task
   * @param absent which tasks have no labels
   */
  public record Input(
      String name, int[] ids, double[][] gradients, double[] losses, boolean[] absent) {

    /**
     * Those that break things: equal, opposite and missing gradients, any scale, one task to a
     * hundred, absent tasks, losses that vanish or explode.
     *
     * @return one after the other
     */
    public static List<Input> all() {
      List<Input> all = new ArrayList<>();
      Input many = ordinary(100);
      all.add(many);
      all.add(many.of("gradients of rank 2", i -> i % 2, i -> 1.0 + i));
      all.add(many.of("gradients of all scales", i -> i, i -> Math.pow(10, i * 7 % 31 - 15)));
      all.add(many.withAbsent("half absent", i -> i % 2 == 0));
      for (int tasks : new int[] {1, 2, 3, 10}) {
        Input usual = ordinary(tasks);
        all.add(usual);
        all.add(usual.of("equal gradients", i -> 0, i -> 1.0));
        all.add(usual.of("opposite gradients", i -> 0, i -> i % 2 == 0 ? 1.0 : -1.0));
        all.add(usual.of("opposite, unlike gradients", i -> 0, i -> i % 2 == 0 ? 1.0 : -1.0 - i));
        all.add(usual.of("nearly equal gradients", i -> 0, i -> 1.0 + 1e-9 * i));
        all.add(usual.of("gradients of rank 2", i -> i % 2, i -> 1.0 + i));
        all.add(usual.of("one gradient of 0", i -> i, i -> i == 0 ? 0.0 : 1.0));
        all.add(usual.of("gradients of 0", i -> i, i -> 0.0));
        for (int power = -15; power <= 15; power += 5) {
          all.add(usual.times(Math.pow(10, power)));
        }
        all.add(usual.of("gradients of all scales", i -> i, i -> Math.pow(10, i * 7 % 31 - 15)));
        all.add(usual.of("one long gradient", i -> i, i -> i == 0 ? 1e15 : 1.0));
        all.add(usual.withLosses("losses of 0", i -> 0.0));
        all.add(usual.withLosses("one loss of 0", i -> i == 0 ? 0.0 : 1.0));
        all.add(usual.withLosses("huge losses", i -> 1e300));
        all.add(usual.withLosses("tiny losses", i -> 1e-300));
        all.add(usual.withLosses("losses of all scales", i -> Math.pow(10, i * 7 % 31 - 15)));
        all.add(usual.withAbsent("one absent", i -> i == 0));
        all.add(usual.withAbsent("all but one absent", i -> i != 0));
        all.add(usual.withAbsent("half absent", i -> i % 2 == 0));
        all.add(usual.withAbsent("all absent", i -> true));
      }
      return all;
    }

    /**
     * An ordinary step: independent gradients with some conflict, of similar lengths; losses of
     * similar size.
     *
     * @param tasks 1 or more
     * @return always the same
     */
    public static Input ordinary(int tasks) {
      Random random = new Random(tasks);
      double[][] gradients = new double[tasks][2 * tasks];
      double[] losses = new double[tasks];
      for (int i = 0; i < tasks; i++) {
        int task = i;
        Arrays.setAll(
            gradients[i], k -> (0.2 + random.nextGaussian()) * (1.0 + task % 3) / (1 + tasks));
        losses[i] = 0.5 + random.nextDouble();
      }
      int[] ids = IntStream.range(0, tasks).toArray();
      return new Input(tasks + " tasks", ids, gradients, losses, new boolean[tasks]);
    }

    private Input usual() {
      return ordinary(losses.length);
    }

    private Input of(String what, Function<Integer, Integer> from, Function<Integer, Double> by) {
      double[][] others = new double[gradients.length][];
      for (int i = 0; i < others.length; i++) {
        double factor = by.apply(i);
        others[i] =
            Arrays.stream(gradients[from.apply(i) % gradients.length])
                .map(g -> g * factor)
                .toArray();
      }
      return new Input(name + ", " + what, ids, others, losses, absent);
    }

    private Input times(double factor) {
      return of("gradients times " + factor, i -> i, i -> factor);
    }

    private Input withLosses(String what, Function<Integer, Double> loss) {
      double[] others = new double[losses.length];
      Arrays.setAll(others, loss::apply);
      return new Input(name + ", " + what, ids, gradients, others, absent);
    }

    private Input withAbsent(String what, Function<Integer, Boolean> isAbsent) {
      boolean[] others = new boolean[losses.length];
      for (int i = 0; i < others.length; i++) {
        others[i] = isAbsent.apply(i);
      }
      return new Input(name + ", " + what, ids, gradients, losses, others);
    }

    private Input inOrder(List<Integer> order) {
      double[][] others = order.stream().map(i -> gradients[i]).toArray(double[][]::new);
      double[] otherLosses = order.stream().mapToDouble(i -> losses[i]).toArray();
      int[] otherIds = order.stream().mapToInt(i -> ids[i]).toArray();
      return new Input(name, otherIds, others, otherLosses, new boolean[losses.length]);
    }

    /**
     * Tasks named task0, task1, …
     *
     * @return as many as there are gradients
     */
    public Tasks tasks() {
      return Tasks.of(Arrays.stream(ids).mapToObj(id -> "task" + id).toList());
    }

    /**
     * As a network measures it, with losses that fall a little from step to step.
     *
     * @param iteration of the step
     * @param epoch of the step
     * @return with the Gram matrix
     */
    public StepMeasurement step(int iteration, int epoch) {
      int size = losses.length;
      double[][] gram = new double[size][size];
      double[] norms = new double[size];
      double[] fallen = new double[size];
      boolean[] present = new boolean[size];
      double[] ones = new double[size];
      Arrays.fill(ones, 1.0);
      for (int i = 0; i < size; i++) {
        present[i] = !absent[i];
        for (int j = 0; j < size && present[i]; j++) {
          gram[i][j] = absent[j] ? 0.0 : dot(gradients[i], gradients[j]);
        }
        norms[i] = Math.sqrt(gram[i][i]);
        fallen[i] = present[i] ? losses[i] / (1.0 + 0.1 * (ids[i] % 3) * iteration) : 0.0;
      }
      return StepMeasurement.of(tasks())
          .at(iteration, epoch)
          .batchSize(8)
          .present(present)
          .losses(fallen)
          .gradientNorms(norms)
          .lossWeights(ones)
          .gram(gram)
          .build();
    }

    private static double dot(double[] a, double[] b) {
      double sum = 0.0;
      for (int i = 0; i < a.length; i++) {
        sum += a[i] * b[i];
      }
      return sum;
    }
  }
}
