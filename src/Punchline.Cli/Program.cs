return await Punchline.Cli.CommandLine.RunAsync(args);
