import ArgumentParser

/// Runs one command line: takes what is missing from the environment, parses, runs, and says how it ended.
struct CommandLineRun {
  let root: any AsyncParsableCommand.Type

  /// - Returns: the exit status of the process. 0: it worked. 1: it did not. 2: the command line, or a variable that
  ///   stands for a part of it, is wrong.
  func run(_ arguments: [String], environment: [String: String]) async -> Int32 {
    do {
      let settings = try EnvironmentArguments(root: root, arguments: arguments, environment: environment)
      var command = try await parse(settings)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch {
      return report(error)
    }
  }

  private func parse(_ settings: EnvironmentArguments) async throws -> any ParsableCommand {
    do {
      return try await root.asyncParseAsRoot(settings.arguments)
    } catch {
      // A wrong value from the environment would otherwise be told as if it had been typed.
      if Self.isUsageError(error, root: root), let origin = settings.origin(ofErrorMessage: root.message(for: error)) {
        throw CommandFailure("\(root.message(for: error)) (from the environment: \(origin))", status: .usage)
      }
      throw error
    }
  }

  private func report(_ error: any Error) -> Int32 {
    let status = root.exitCode(for: error)
    let message = root.fullMessage(for: error)
    if !message.isEmpty {
      do {
        try (status.isSuccess ? StandardStream.output : .error).writeLine(message)
      } catch {
        if let failure = error as? CommandFailure { try? StandardStream.error.writeLine("docket: \(failure)") }
        return ExitCode.failure.rawValue
      }
    }
    if let failure = error as? CommandFailure { return failure.status.rawValue }
    return Self.isUsageError(error, root: root) ? CommandFailure.Status.usage.rawValue : status.rawValue
  }

  private static func isUsageError(_ error: any Error, root: any AsyncParsableCommand.Type) -> Bool {
    root.exitCode(for: error) == .validationFailure
  }
}
