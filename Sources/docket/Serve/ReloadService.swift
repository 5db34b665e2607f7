import DocketServer
import Logging
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// Reads the files of TLS again at SIGHUP.
struct ReloadService: Service {
  let tls: ServerTLS?
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      guard let tls else {
        logger.notice("SIGHUP: nothing is read again, since there is no TLS here.")
        continue
      }
      do {
        let loaded = try await NIOThreadPool.singleton.runIfActive { try tls.reload() }
        for warning in loaded.warnings { logger.warning("\(warning)") }
        logger.notice(
          "SIGHUP: new connections get the certificate in \(tls.files.certificate), which is valid until \(loaded.lastDay)."
        )
      } catch {
        logger.error("SIGHUP: the certificate stays as it was: \(error).")
      }
    }
  }
}
