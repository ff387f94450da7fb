package org.gradnorm4j.core.parallel;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.deeplearning4j.parallelism.trainer.DefaultTrainer;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** DL4J's trainer for averaged parameters, with its steps told to a {@link Worker}. */
final class AveragingWorker extends DefaultTrainer {
  private final Worker worker;

  AveragingWorker(
      Worker worker,
      String uuid,
      int index,
      Model model,
      boolean multi,
      ParallelWrapper wrapper,
      WorkspaceMode workspaces,
      int averagingFrequency) {
    this.worker = worker;
    this.uuid = uuid + "_thread_" + index;
    this.threadId = index;
    this.originalModel = model;
    this.replicatedModel = model;
    this.useMDS = multi;
    this.parallelWrapper = wrapper;
    this.workspaceMode = workspaces;
    this.averagingFrequency = averagingFrequency;
    setupIfNeccessary();
    setName("GradNorm4j averaging worker " + index);
    setDaemon(true);
  }

  @Override
  public void run() {
    try {
      super.run();
    } finally {
      worker.stopped();
    }
  }

  @Override
  protected void postInit() {
    super.postInit();
    worker.begin(replicatedModel);
  }

  @Override
  public void feedDataSet(DataSet dataSet, long etlTime) {
    worker.join();
    super.feedDataSet(dataSet, etlTime);
  }

  @Override
  public void feedMultiDataSet(MultiDataSet dataSet, long etlTime) {
    worker.join();
    super.feedMultiDataSet(dataSet, etlTime);
  }

  @Override
  protected void fit(DataSet dataSet) {
    worker.train(() -> super.fit(dataSet));
  }

  @Override
  protected void fit(MultiDataSet dataSet) {
    worker.train(() -> super.fit(dataSet));
  }

  @Override
  public void waitTillRunning() {
    super.waitTillRunning();
    worker.leave();
  }

  @Override
  public void shutdown() {
    worker.ending();
    super.shutdown();
    worker.end();
  }
}
