package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all commands do: check the options, train once per balancer, write the files, compare. */
abstract class TrainingCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  @Mixin final TrainingOptions options;

  TrainingCommand(TrainingOptions options) {
    this.options = options;
  }

  /** Checks the command's own options. */
  abstract void check();

  /** Reads or makes the data. */
  abstract Problem problem(long seed) throws IOException;

  abstract Schedule schedule(Problem problem);

  /** Follows one run; one that does nothing unless the command has another. */
  RunListener listener(Balancer balancer, Weighting weighting, Problem problem, Schedule schedule) {
    return RunListener.none();
  }

  /** How many seeds to run, from the first on: one, unless the command has an option for it. */
  int seeds() {
    return 1;
  }

  /** Called after the last run; the files written. */
  List<Path> finish(RunFiles files) throws IOException {
    return List.of();
  }

  @Override
  public final Integer call() throws IOException {
    options.check();
    check();
    options.useThreads();
    Console.printKernel(out());
    train(options.createFiles());
    return 0;
  }

  /** Trains for all seeds, and leaves the files in a folder. */
  void train(RunFiles files) throws IOException {
    List<RunSummary> runs = new ArrayList<>();
    List<Path> written = new ArrayList<>();
    for (int i = 0; i < seeds(); i++) {
      long seed = options.seed() + i;
      train(seed, seeds() == 1 ? files : files.folder("seed-" + seed), runs, written);
    }
    written.add(files.writeSummary(runs));
    written.addAll(finish(files));
    Console.printWritten(written, out());
  }

  private void train(long seed, RunFiles files, List<RunSummary> runs, List<Path> written)
      throws IOException {
    Problem problem = problem(seed);
    Schedule schedule = schedule(problem);
    Console.print(
        String.format(
            Locale.ROOT,
            "%s: %d training and %s, tasks %s%s",
            spec.name(),
            problem.train().size(),
            Console.count(problem.test().size(), "test example", "test examples"),
            problem.tasks().keySet(),
            seeds() == 1 ? "" : ", seed " + seed),
        out());
    Trainer trainer = new Trainer(problem, schedule, seed);
    List<RunSummary> ofSeed = new ArrayList<>();
    boolean several = options.balancers().size() > 1;
    for (Balancer balancer : options.balancers()) {
      out().println(balancer);
      Weighting weighting = options.weighting(balancer, problem.sharedLayer());
      RunListener listener = listener(balancer, weighting, problem, schedule);
      Progress progress = new Progress(problem.tasks().values(), schedule.steps(), out());
      Trainer.Result result = trainer.train(weighting, progress, listener);
      ofSeed.add(summary(balancer, seed, weighting, result, problem, schedule));
      written.addAll(files.writeHistory(weighting, balancer, several));
      written.addAll(listener.write(files, balancer));
    }
    ComparisonTable.print(problem, ofSeed, out());
    runs.addAll(ofSeed);
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }

  private RunSummary summary(
      Balancer balancer,
      long seed,
      Weighting weighting,
      Trainer.Result result,
      Problem problem,
      Schedule schedule) {
    return new RunSummary(
        spec.name(),
        balancer.toString(),
        seed,
        options.alpha(balancer),
        schedule.steps(),
        result.seconds(),
        RunSummary.tasks(problem.tasks(), weighting, result),
        problem.hasPenalty()
            ? null
            : RunSummary.finite(result.test().normalizedLoss(result.initialTest())));
  }
}
