package org.gradnorm4j.ui;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.deeplearning4j.core.storage.Persistable;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryLimit;
import org.gradnorm4j.history.HistoryRecorder;
import org.gradnorm4j.persist.QuantityRecord;
import org.gradnorm4j.persist.StepRecord;
import org.gradnorm4j.weighting.BalancedStep;

/**
 * What a stats storage keeps: how a run was set up, or one step of it. Encoded as a version byte,
 * session, worker (both as {@link DataOutputStream#writeUTF}), the time in milliseconds, and the
 * content as JSON in UTF-8.
 *
 * <p>Public because a storage makes its records by name.
 */
public final class LossBalancerRecord implements Persistable {
  /** Type of these records in a storage. */
  public static final String TYPE_ID = "LossBalancing";

  private static final long serialVersionUID = 1L;
  private static final int VERSION = 1;
  private static final Gson GSON =
      new GsonBuilder().serializeSpecialFloatingPointValues().disableHtmlEscaping().create();

  private String session;
  private String worker;
  private long time;
  private String json;

  private record Run(
      List<String> taskNames, List<QuantityRecord> quantities, Map<String, String> settings) {}

  /** For a storage, which then decodes into it. */
  public LossBalancerRecord() {}

  private LossBalancerRecord(String session, String worker, long time, Object content) {
    this.session = session;
    this.worker = worker;
    this.time = time;
    json = GSON.toJson(content);
  }

  static LossBalancerRecord ofRun(String session, String worker, long time, History history) {
    return new LossBalancerRecord(
        session,
        worker,
        time,
        new Run(
            history.taskNames(),
            history.quantities().stream().map(QuantityRecord::of).toList(),
            history.settings()));
  }

  static LossBalancerRecord ofStep(String session, String worker, long time, BalancedStep step) {
    return new LossBalancerRecord(session, worker, time, StepRecord.of(step));
  }

  /** The run, without a step yet. */
  HistoryRecorder toRecorder() {
    Run run = GSON.fromJson(json, Run.class);
    return new HistoryRecorder(
        HistoryLimit.byDefault(),
        run.taskNames,
        run.quantities.stream().map(QuantityRecord::toQuantity).toList(),
        run.settings);
  }

  BalancedStep toStep() {
    return GSON.fromJson(json, StepRecord.class).toStep();
  }

  @Override
  public String getSessionID() {
    return session;
  }

  @Override
  public String getTypeID() {
    return TYPE_ID;
  }

  @Override
  public String getWorkerID() {
    return worker;
  }

  @Override
  public long getTimeStamp() {
    return time;
  }

  @Override
  public int encodingLengthBytes() {
    return encode().length;
  }

  @Override
  public byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      encode(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  @Override
  public void encode(ByteBuffer buffer) {
    buffer.put(encode());
  }

  @Override
  public void encode(OutputStream stream) throws IOException {
    DataOutputStream out = new DataOutputStream(stream);
    out.writeByte(VERSION);
    out.writeUTF(session);
    out.writeUTF(worker);
    out.writeLong(time);
    out.write(json.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  @Override
  public void decode(byte[] bytes) {
    try {
      decode(new ByteArrayInputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void decode(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    decode(bytes);
  }

  @Override
  public void decode(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    int version = in.readByte();
    if (version != VERSION) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "loss balancing record (version %d) must be of version %d. Read it with the version of this library that wrote it",
              version,
              VERSION));
    }
    session = in.readUTF();
    worker = in.readUTF();
    time = in.readLong();
    json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }
}
