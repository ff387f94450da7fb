package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on images and volumes, with workspaces off. */
class OracleMatrixImagesWithoutWorkspacesTest extends OracleMatrix {
  OracleMatrixImagesWithoutWorkspacesTest() {
    super(IMAGES, WorkspaceMode.NONE);
  }
}
