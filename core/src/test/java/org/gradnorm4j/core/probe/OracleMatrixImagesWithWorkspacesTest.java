package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on images and volumes, with workspaces enabled. */
class OracleMatrixImagesWithWorkspacesTest extends OracleMatrix {
  OracleMatrixImagesWithWorkspacesTest() {
    super(IMAGES, WorkspaceMode.ENABLED);
  }
}
