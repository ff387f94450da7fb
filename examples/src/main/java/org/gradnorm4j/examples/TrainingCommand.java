package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.gradnorm4j.gradnorm.GradNorm;
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
  abstract Problem problem() throws IOException;

  abstract Schedule schedule(Problem problem);

  /** Follows one run; one that does nothing unless the command has another. */
  RunListener listener(GradNorm gradNorm, Problem problem, Schedule schedule) {
    return RunListener.none();
  }

  /** A printed line that would have more is broken, where it can be. */
  int columns() {
    return Integer.MAX_VALUE;
  }

  @Override
  public final Integer call() throws IOException {
    options.check();
    check();
    RunFiles files = options.createFiles();
    PrintWriter out = spec.commandLine().getOut();
    Problem problem = problem();
    Schedule schedule = schedule(problem);
    out.printf(
        "%s: %d training and %d test examples, tasks %s%n",
        spec.name(), problem.train().size(), problem.test().size(), problem.tasks().keySet());
    Trainer trainer = new Trainer(problem, schedule, options.seed());
    List<RunSummary> runs = new ArrayList<>();
    List<Path> written = new ArrayList<>();
    boolean several = options.balancers().size() > 1;
    for (Balancer balancer : options.balancers()) {
      out.println(balancer);
      GradNorm gradNorm = options.gradNorm(balancer, problem.sharedLayer());
      RunListener listener = listener(gradNorm, problem, schedule);
      Progress progress = new Progress(problem.tasks().values(), schedule.steps(), columns(), out);
      Trainer.Result result = trainer.train(gradNorm, progress, listener);
      runs.add(summary(balancer, gradNorm, result, problem, schedule));
      written.add(files.writeHistory(gradNorm.history(), balancer, several));
      written.addAll(listener.write(files, balancer));
    }
    written.add(files.writeSummary(runs));
    ComparisonTable.print(problem, runs, out);
    printWritten(written, out);
    return 0;
  }

  private void printWritten(List<Path> written, PrintWriter out) {
    String line = "written: " + written;
    if (line.length() <= columns()) {
      out.println(line);
    } else {
      out.println("written:");
      written.forEach(file -> out.println("  " + file));
    }
  }

  private RunSummary summary(
      Balancer balancer,
      GradNorm gradNorm,
      Trainer.Result result,
      Problem problem,
      Schedule schedule) {
    return new RunSummary(
        spec.name(),
        balancer.toString(),
        options.seed(),
        options.alpha(balancer),
        schedule.steps(),
        result.seconds(),
        RunSummary.tasks(problem.tasks(), gradNorm, result),
        problem.hasPenalty()
            ? null
            : RunSummary.finite(result.test().normalizedLoss(result.initialTest())));
  }
}
