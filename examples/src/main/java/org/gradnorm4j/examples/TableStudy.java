package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Trains on a table with equal weights, with GradNorm, and for each task alone: at each seed on the
 * same rows, in the same minibatches.
 */
final class TableStudy {
  private final TableData data;
  private final TableNetwork network;
  private final TrainingOptions options;
  private final int epochs;
  private final List<TableTask> tasks;
  private final List<RunSummary> runs = new ArrayList<>();

  /**
   * Has not trained yet.
   *
   * @param data to train and test on
   * @param network to train
   * @param options of the training
   * @param epochs of each network
   */
  TableStudy(TableData data, TableNetwork network, TrainingOptions options, int epochs) {
    this.data = data;
    this.network = network;
    this.options = options;
    this.epochs = epochs;
    this.tasks = data.tasks();
  }

  /** Every network trained so far. */
  List<RunSummary> runs() {
    return runs;
  }

  /**
   * Trains all networks of a seed.
   *
   * @param results gets the errors
   * @param files gets the histories and the models; null if they are not to be kept
   * @param out told how long it took
   * @return the files written
   */
  List<Path> run(long seed, TableResults results, RunFiles files, PrintWriter out)
      throws IOException {
    TableSplit split = data.split(seed);
    TableEncoding encoding = data.encoding(split);
    Seed run =
        new Seed(
            seed,
            encoding,
            encoding.samples(data.table(), split.train()),
            encoding.samples(data.table(), split.test()));
    List<Path> written = new ArrayList<>();
    if (files != null) {
      written.add(files.writeJson("encoding.json", encoding));
    }
    double[] lossWeights = {};
    for (Balancer balancer : options.balancers()) {
      Weighting weighting = options.weighting(balancer, TableNetwork.sharedLayer(data.targets()));
      Trainer.Result result = run.together(balancer, weighting);
      lossWeights = run.lossWeights(weighting);
      if (files != null) {
        written.addAll(files.writeHistory(weighting, balancer, true));
        written.addAll(files.writeReport(weighting, balancer, true));
        written.add(files.writeModel(result.learner(), balancer, true));
      }
    }
    for (int task = 0; task < tasks.size(); task++) {
      run.alone(task);
    }
    results.add(run.errors, lossWeights);
    Console.print(String.format(Locale.ROOT, "seed %d: %s", seed, run.times()), out);
    return written;
  }

  /** One seed's networks. */
  private final class Seed {
    private final long seed;
    private final TableEncoding encoding;
    private final Samples train;
    private final Samples test;
    private final Map<TableMethod, double[]> errors = new EnumMap<>(TableMethod.class);
    private final Map<TableMethod, Double> seconds = new EnumMap<>(TableMethod.class);

    Seed(long seed, TableEncoding encoding, Samples train, Samples test) {
      this.seed = seed;
      this.encoding = encoding;
      this.train = train;
      this.test = test;
    }

    Trainer.Result together(Balancer balancer, Weighting weighting) {
      int[] all = IntStream.range(0, tasks.size()).toArray();
      return train(
          balancer.isGradNorm() ? TableMethod.GRADNORM : TableMethod.EQUAL,
          weighting,
          options.alpha(balancer),
          all);
    }

    void alone(int task) {
      train(TableMethod.ALONE, Weighting.none(), null, task);
    }

    private Trainer.Result train(
        TableMethod method, Weighting weighting, Double alpha, int... outputs) {
      Problem problem = problem(outputs);
      Schedule schedule = schedule(problem);
      Progress silent =
          new Progress(
              problem.tasks().values(), schedule.steps(), new PrintWriter(Writer.nullWriter()));
      Trainer.Result result =
          new Trainer(problem, schedule, seed).train(weighting, silent, RunListener.none());
      double[] ofMethod = errors.computeIfAbsent(method, m -> new double[tasks.size()]);
      for (int output = 0; output < outputs.length; output++) {
        int task = outputs[output];
        ofMethod[task] = tasks.get(task).error(result.test(), output, encoding.targets().get(task));
      }
      seconds.merge(method, result.seconds(), Double::sum);
      runs.add(summary(method, weighting, alpha, result, problem, schedule));
      return result;
    }

    private Problem problem(int... outputs) {
      List<TableEncoding.Column> targets = new ArrayList<>();
      Map<String, TaskKind> kinds = new LinkedHashMap<>();
      for (int output : outputs) {
        targets.add(encoding.targets().get(output));
        kinds.put(tasks.get(output).name(), tasks.get(output).kind());
      }
      ComputationGraphConfiguration configuration =
          network.configuration(
              new TableEncoding(encoding.inputs(), targets), data.targets(), seed);
      return new Problem(
          () -> new GraphLearner(configuration, kinds.values()),
          kinds,
          TableNetwork.sharedLayer(data.targets()),
          only(train, outputs),
          only(test, outputs));
    }

    private Schedule schedule(Problem problem) {
      int batch = options.batch();
      int steps = Math.multiplyExact(epochs, Schedule.stepsPerEpoch(problem.train().size(), batch));
      return new Schedule(batch, steps, steps);
    }

    private RunSummary summary(
        TableMethod method,
        Weighting weighting,
        Double alpha,
        Trainer.Result result,
        Problem problem,
        Schedule schedule) {
      return new RunSummary(
          "csv",
          method.toString(),
          seed,
          alpha,
          schedule.steps(),
          result.seconds(),
          RunSummary.tasks(problem.tasks(), weighting, result),
          RunSummary.finite(result.test().normalizedLoss(result.initialTest())));
    }

    double[] lossWeights(Weighting weighting) {
      Map<String, Double> byName = weighting.lossWeights();
      return tasks.stream().mapToDouble(task -> byName.get(task.name())).toArray();
    }

    String times() {
      StringBuilder times = new StringBuilder();
      seconds.forEach(
          (method, time) ->
              times
                  .append(times.isEmpty() ? "" : ", ")
                  .append(String.format(Locale.ROOT, "%s %.1f s", method, time)));
      return times.toString();
    }
  }

  private static Samples only(Samples samples, int... outputs) {
    INDArray[] labels = new INDArray[outputs.length];
    INDArray[] masks = new INDArray[outputs.length];
    for (int i = 0; i < outputs.length; i++) {
      labels[i] = samples.labels()[outputs[i]];
      masks[i] = samples.masks()[outputs[i]];
    }
    return new Samples(samples.features(), labels, masks);
  }
}
